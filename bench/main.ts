/**
 * `npm run bench [-- name ...] [--record] [--all]`: what the daemon costs, each figure beside a reference run in the same invocation. Prints tables and
 * writes `bench/results.json`; `--record` also writes them into `bench/RESULTS.md`, `--all` has the relay measured in every
 * combination, the batch with 50,000 lines, the memory with 100,000 tasks, and the page for two minutes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { benchAdmission } from './admission.ts'
import { benchDoors } from './doors.ts'
import { benchBatch } from './batch.ts'
import { benchFeed } from './feed.ts'
import { benchHostile } from './hostile.ts'
import { benchMemory } from './memory.ts'
import { benchGroups } from './groups.ts'
import { benchPage } from './page.ts'
import { benchRecovery } from './recovery.ts'
import { benchRelay } from './relay.ts'
import { withResults } from './results.ts'
import { benchScheduler } from './scheduler.ts'
import { benchSlots } from './slots.ts'
import { benchStart } from './start.ts'
import { benchStreaming } from './streaming.ts'
import { benchTop } from './top.ts'
import { benchPlacement } from './placement.ts'
import { benchPrediction } from './prediction.ts'
import type { Section } from './section.ts'

const benches: Readonly<Record<string, (all: boolean) => Promise<Section>>> = {
  admission: benchAdmission,
  scheduler: benchScheduler,
  recovery: benchRecovery,
  streaming: benchStreaming,
  relay: benchRelay,
  doors: benchDoors,
  batch: benchBatch,
  memory: benchMemory,
  feed: benchFeed,
  top: benchTop,
  page: benchPage,
  hostile: benchHostile,
  slots: benchSlots,
  prediction: benchPrediction,
  placement: benchPlacement,
  groups: benchGroups,
  start: benchStart,
}

const given = process.argv.slice(2)
const record = given.includes('--record')
const all = given.includes('--all')
const chosen = given.filter((arg) => !arg.startsWith('--'))
for (const name of chosen)
  if (!(name in benches)) throw new Error(`there is no bench ${name}; there are ${Object.keys(benches).join(', ')}`)

const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`
const sections: Record<string, Section> = {}
console.log(`Machine: ${machine}`)
for (const [name, bench] of Object.entries(benches)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  const section = await bench(all)
  sections[name] = section
  console.log(`\n${section.title}`)
  console.table(section.rows)
  if (section.goals.length > 0) console.table(section.goals)
}
writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify({ machine, sections }, undefined, 2)}\n`)
if (record) {
  const document = new URL('RESULTS.md', import.meta.url)
  const date = new Date().toISOString().slice(0, 10)
  const measured = new Map(Object.entries(sections).map(([name, section]) => [name, { section, machine, date }]))
  writeFileSync(document, withResults(readFileSync(document, 'utf8'), measured, Object.keys(benches)))
}
