import assert from 'node:assert/strict'
import { Given, When, type DataTable } from '@cucumber/cucumber'
import { parse } from 'yaml'
import { mockPool, talesPool } from '../../harness/daemon.ts'
import { fieldsOf, milliseconds } from './match.ts'
import type { Person, Story } from './world.ts'

type Row = Readonly<Record<string, string>>

const given = <T>(cell: string | undefined, convert: (cell: string) => T): T | undefined =>
  cell === undefined || cell === '' ? undefined : convert(cell)

/** A row of the table of pools as the configuration has it. */
function poolOf(row: Row): Record<string, unknown> {
  const slots = given(row['slots'], Number) ?? 1
  const devices = given(row['devices'], (list) => list.split(' ').map(Number)) ?? []
  const replicas = Array.from({ length: given(row['replicas'], Number) ?? 1 }, (_, i) => ({ id: `r${i}`, slots, devices }))
  const fields = {
    id: row['pool'],
    model: given(row['model'], String),
    ctx: given(row['ctx'], Number),
    replicas,
    queue: dropAbsent({
      capacity: given(row['queue'], Number),
      full_policy: given(row['when full'], String),
      batch_every: given(row['batch every'], Number),
    }),
    timeouts: dropAbsent({ wall_ms: given(row['longest run'], milliseconds), idle_ms: given(row['longest silence'], milliseconds) }),
    prices: given(row['price of a token'], (price) => ({ input_per_million: 0, output_per_million: Number(price) * 1e6 })),
    mock: dropAbsent({
      load_ms: given(row['loads in'], milliseconds),
      prefill_ms: given(row['first token'], milliseconds) ?? 0,
      token_ms: given(row['next tokens'], milliseconds) ?? 0,
      tokens: given(row['tokens'], Number) ?? 1,
      replayable: given(row['same text again'], (cell) => cell === 'yes'),
      continues: given(row['same text again'], (cell) => cell === 'yes'),
      fault: given(row['fault'], (fault) => parse(`{ ${fault} }`) as unknown),
    }),
  }
  return mockPool(dropAbsent(fields))
}

const dropAbsent = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** Nothing of the configuration can change once the daemon runs. */
function beforeStart(story: Story): void {
  assert.ok(!story.started, 'the daemon is running already')
}

Given('a/the pool(s):', function (this: Story, table: DataTable) {
  beforeStart(this)
  this.pools = table.hashes().map(poolOf)
  this.loads = table.hashes().some((row) => row['loads in'] !== undefined)
})

Given('the pool {string} with the demonstration model', function (this: Story, id: string) {
  beforeStart(this)
  this.clock = undefined
  this.pools = [talesPool({ id })]
})

Given('the configuration has:', function (this: Story, yaml: string) {
  beforeStart(this)
  const { auth, ...config } = parse(yaml) as Record<string, unknown>
  this.config = { ...this.config, ...config }
  if (auth !== undefined) this.auth = auth as Record<string, unknown>
})

Given("{person}'s key is limited to:", function (this: Story, person: Person, table: DataTable) {
  beforeStart(this)
  this.limits[person] = fieldsOf(table)
})

Given('a defect in the daemon that throws {string}', function (this: Story, detail: string) {
  beforeStart(this)
  const failing = (): never => {
    throw new Error(detail)
  }
  this.overrides = { services: (services) => ({ ...services, pools: new Proxy(services.pools, { get: () => failing }) }) }
})

When('{duration} pass(es)', function (this: Story, ms: number) {
  return this.pass(ms)
})
