import { execFile } from 'node:child_process'
import { DriverError, type DeviceProbe, type DeviceReading } from '../../ports/device-probe.ts'

/** Longest run of the tool, ms: without its persistence daemon the driver wakes up first, which takes seconds. */
const timeout_ms = 10_000
const max_output_bytes = 1 << 20
const bytes_per_mib = 1 << 20

const fields = ['index', 'pci.bus_id', 'utilization.gpu', 'memory.used', 'memory.free', 'name']
const query = [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits']

/** What the tool needs to be found and to run. Our own settings hold keys and are no business of its. */
const passed = ['PATH', 'LD_LIBRARY_PATH', 'SYSTEMROOT', 'WINDIR', 'PROGRAMFILES'] as const

/**
 * Exit codes that say that a device or the driver cannot be used; they are those of NVML (nvmlReturn_t): the driver is not loaded, its
 * interrupts do not come, a device has fallen off the bus, it needs a reset. Not so a library of another version than the driver, for
 * what runs goes on.
 */
const broken: readonly unknown[] = [9, 11, 15, 16]

/** A field of a device that cannot be used, whatever was asked. */
const faulty = /^\[?(GPU is lost|GPU requires reset|ERR!?)\]?$/i
const unknown = /^\[?Unknown Error\]?$/i

/** What it prints in the place of a name that it does not know. */
const nameless = /^(\[.*|N\/A|)$/

/** A number as the tool prints it; undefined for `[N/A]`, `[Not Supported]`, `[Unknown Error]` and whatever else is none. */
const numberOf = (field: string | undefined): number | undefined =>
  field !== undefined && /^\d+(\.\d+)?$/.test(field) ? Number(field) : undefined

const bytesOf = (mib: string | undefined): number | undefined => {
  const number = numberOf(mib)
  return number === undefined ? undefined : number * bytes_per_mib
}

/** A reading with the place of its device on the PCI bus. */
interface PlacedReading extends DeviceReading {
  readonly bus_id: string
}

/**
 * Reads what `nvidia-smi --query-gpu=index,pci.bus_id,utilization.gpu,memory.used,memory.free,name --format=csv,noheader,nounits` prints: one
 * line for each device, utilization in percent, memory in MiB. Lines that are not about a device (`No devices were found`) are left out.
 */
export function parseNvidiaSmi(output: string): PlacedReading[] {
  return output.split(/\r?\n/).flatMap((line) => {
    const [index, bus_id, utilization, used, free, name = '', ...rest] = line.split(',').map((field) => field.trim())
    if (index === undefined || !/^\d{1,4}$/.test(index) || bus_id === undefined || free === undefined || rest.length > 0) return []
    const told = [bus_id, utilization ?? '', used ?? '', free]
    // One figure may be unknown on a device that is well; where all are, it is not.
    const fault = told.find((field) => faulty.test(field)) ?? (told.slice(1).every((field) => unknown.test(field)) ? free : undefined)
    const reading = {
      name: nameless.test(name) || faulty.test(name) ? undefined : name,
      utilization: shareOf(numberOf(utilization)),
      used_bytes: bytesOf(used),
      free_bytes: bytesOf(free),
      fault: fault?.replace(/^\[|\]$/g, ''),
    }
    return [{ index: Number(index), bus_id, ...given(reading) }]
  })
}

const shareOf = (percent: number | undefined): number | undefined => (percent === undefined ? undefined : Math.min(1, percent / 100))

/** Without the fields that are undefined. */
const given = <T extends object>(reading: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(reading).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: NonNullable<T[K]> }

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
  /** Devices by where they are, as of the last reading: one that is lost is told of by that, and hides the others. */
  let known: readonly PlacedReading[] = []
  return {
    read: () =>
      new Promise((resolve, reject) => {
        execFile(command, query, options, (error, stdout, stderr) => {
          if (error === null) {
            known = parseNvidiaSmi(stdout)
            resolve(known)
            return
          }
          const said = `${stdout}\n${stderr}`
          const why = `${command}: ${whyNot(error, said)}`
          reject(broken.includes(error.code) ? new DriverError(why, deviceIn(said, known), error) : new Error(why, { cause: error }))
        })
      }),
  }
}

/** The device that an error is about, such as `... the device handle for GPU0: 0000:01:00.0: Unknown Error`; older drivers leave the number out. */
function deviceIn(said: string, known: readonly PlacedReading[]): number | undefined {
  const [place = 'nowhere'] = /[0-9A-F]{4,8}:[0-9A-F]{2}:[0-9A-F]{2}\.[0-9A-F]/i.exec(said) ?? []
  // It is 0000:01:00.0 here and 00000000:01:00.0 there.
  const there = known.find(({ bus_id }) => bus_id.slice(-10).toLowerCase() === place.slice(-10).toLowerCase())
  const [, number] = /\bGPU(\d{1,4}):/.exec(said) ?? []
  return there?.index ?? (number === undefined ? undefined : Number(number))
}

function whyNot(error: Error & { readonly code?: unknown; readonly killed?: boolean }, output: string): string {
  if (error.code === 'ENOENT') return 'there is no such command'
  if (error.killed === true) return `no answer within ${timeout_ms} ms`
  // It says what is wrong, such as a driver that is not loaded, on its standard output.
  const said = output.trim().split(/\r?\n/)[0]?.slice(0, 200) ?? ''
  return said === '' ? error.message.slice(0, 200) : said
}
