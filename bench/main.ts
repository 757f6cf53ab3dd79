/** `npm run bench`: what the daemon costs, each figure beside a reference run in the same invocation. Prints tables and JSON. */
import { cpus, release } from 'node:os'
import { benchAdmission } from './admission.ts'

const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}, Linux ${release()}, Node ${process.versions.node}`
const admission = await benchAdmission()
const cost = (server: string): number => admission.find((figures) => figures.server === server)?.cpu_us_per_request ?? NaN
const ratios = {
  daemon_to_echo_cost: Number((cost('daemon') / cost('echo')).toFixed(2)),
  daemon_to_raw_cost: Number((cost('daemon') / cost('raw')).toFixed(2)),
}

console.log(`Machine: ${machine}\n\nAdmission: POST /v1/tasks, durable on disk, 32 connections; medians of 5 rounds in turn`)
console.table(admission)
console.log(`The daemon's CPU time per admission is ${ratios.daemon_to_echo_cost} times the echo's (goal: below 2) and ${ratios.daemon_to_raw_cost} times the raw server's.`)
console.log(JSON.stringify({ machine, admission, ratios }))
