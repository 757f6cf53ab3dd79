import { execFile } from 'node:child_process'
import type { DeviceProbe, DeviceReading } from '../../ports/device-probe.ts'

/** Longest run of the tool, ms: without its persistence daemon the driver wakes up first, which takes seconds. */
const timeout_ms = 10_000
const max_output_bytes = 1 << 20
const bytes_per_mib = 1 << 20

const query = ['--query-gpu=index,utilization.gpu,memory.used', '--format=csv,noheader,nounits']

/** What the tool needs to be found and to run. Our own settings hold keys and are no business of its. */
const passed = ['PATH', 'LD_LIBRARY_PATH', 'SYSTEMROOT', 'WINDIR', 'PROGRAMFILES'] as const

/** A number as the tool prints it; undefined for `[N/A]`, `[Not Supported]`, `[Unknown Error]` and whatever else is none. */
const numberOf = (field: string | undefined): number | undefined =>
  field !== undefined && /^\d+(\.\d+)?$/.test(field) ? Number(field) : undefined

/**
 * Reads what `nvidia-smi --query-gpu=index,utilization.gpu,memory.used --format=csv,noheader,nounits` prints: one line for each device, utilization
 * in percent, memory in MiB. Lines that are not about a device (`No devices were found`) are left out.
 */
export function parseNvidiaSmi(output: string): DeviceReading[] {
  return output.split(/\r?\n/).flatMap((line) => {
    const [index, utilization, memory, ...rest] = line.split(',').map((field) => field.trim())
    if (index === undefined || !/^\d{1,4}$/.test(index) || memory === undefined || rest.length > 0) return []
    const [percent, mib] = [numberOf(utilization), numberOf(memory)]
    return [
      {
        index: Number(index),
        ...(percent === undefined ? {} : { utilization: Math.min(1, percent / 100) }),
        ...(mib === undefined ? {} : { used_bytes: mib * bytes_per_mib }),
      },
    ]
  })
}

/**
 * NVIDIA's command-line tool, run once for each reading. It numbers devices in PCI order; CUDA does so only with `CUDA_DEVICE_ORDER=PCI_BUS_ID`.
 * @param command name or path of the tool; started without a shell
 */
export function createNvidiaSmi(command: string): DeviceProbe {
  const env = Object.fromEntries([
    ...passed.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ['LC_ALL', 'C'],
  ]) as NodeJS.ProcessEnv
  const options = {
    env,
    timeout: timeout_ms,
    killSignal: 'SIGKILL',
    maxBuffer: max_output_bytes,
    windowsHide: true,
    encoding: 'utf8',
  } as const
  return {
    read: () =>
      new Promise((resolve, reject) => {
        execFile(command, query, options, (error, stdout) => {
          if (error === null) resolve(parseNvidiaSmi(stdout))
          else reject(new Error(`${command}: ${whyNot(error, stdout)}`, { cause: error }))
        })
      }),
  }
}

function whyNot(error: Error & { readonly code?: unknown; readonly killed?: boolean }, stdout: string): string {
  if (error.code === 'ENOENT') return 'there is no such command'
  if (error.killed === true) return `no answer within ${timeout_ms} ms`
  // It says on its standard output what is wrong, such as a driver that is not loaded.
  const said = stdout.trim().split(/\r?\n/)[0]?.slice(0, 200) ?? ''
  return said === '' ? error.message.slice(0, 200) : said
}
