import assert from 'node:assert/strict'
import { jsonl, lineOf } from '../e2e/batches.kit.ts'
import { keys } from '../harness/daemon.ts'
import { untilAnswer } from '../harness/wait.ts'
import type { Ask } from './case.ts'
import type { DoorCase, DoorOp } from './door-case.ts'
import { type World } from './world.ts'
import { bounds } from './worlds.ts'

const operations = ['createFile', 'listFiles', 'retrieveFile', 'deleteFile', 'downloadFile'] as const
const batchOperations = ['createBatch', 'listBatches', 'retrieveBatch', 'cancelBatch'] as const

/** Operations on files and batches. */
export const batchOps: readonly DoorOp[] = [...operations, ...batchOperations]

/** A form as RFC 7578 has it. */
function form(
  content: string,
  fields: Readonly<Record<string, string>> = { purpose: 'batch' },
  name = 'file',
): Ask & { readonly body: string } {
  const parts = Object.entries(fields).map(
    ([field, value]) => `--cut\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
  )
  const file = `--cut\r\nContent-Disposition: form-data; name="${name}"; filename="lines.jsonl"\r\n\r\n${content}\r\n`
  return { body: `${parts.join('')}${file}--cut--\r\n`, headers: { 'Content-Type': 'multipart/form-data; boundary=cut' } }
}

const input = jsonl([lineOf(1)])
const held = jsonl([lineOf(1, { model: 'mock:slow' })])

async function fileIn(world: World, content: string, key: string = keys.data): Promise<string> {
  const { body, headers } = form(content)
  const answer = await fetch(`${world.daemon.url}/v1/files`, {
    method: 'POST',
    headers: { ...headers, Authorization: `Bearer ${key}` },
    body,
  })
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  return (JSON.parse(text) as { id: string }).id
}

const batchOf = (input_file_id: string): Readonly<Record<string, unknown>> => ({
  input_file_id,
  endpoint: '/v1/completions',
  completion_window: '24h',
})

/** A batch of this input; it and its file. */
async function batchIn(world: World, content: string, key: string = keys.data): Promise<{ readonly batch: string; readonly file: string }> {
  const file = await fileIn(world, content, key)
  const { id } = await world.must(200, 'POST', '/v1/batches', batchOf(file), key)
  return { batch: String(id), file }
}

/** A batch whose input was refused. */
async function overIn(world: World): Promise<Ask> {
  const { batch } = await batchIn(world, '{}\n')
  await untilAnswer(
    () => world.must(200, 'GET', `/v1/batches/${batch}`, undefined, keys.data),
    ({ status }) => status === 'failed',
  )
  return { id: batch }
}

/** Its key has as many batches at work as it may. */
async function busy(world: World): Promise<Ask> {
  for (let n = 0; n < 32; n++) await batchIn(world, held, 'modest')
  return { key: 'modest', body: batchOf(await fileIn(world, held, 'modest')) }
}

const one = async (world: World): Promise<Ask> => ({ id: await fileIn(world, input) })
const working = async (world: World): Promise<Ask> => ({ id: (await batchIn(world, held)).batch })

/** A request that is as it should be. */
const well: Readonly<Record<string, (world: World) => Ask | Promise<Ask>>> = {
  createFile: () => form(input),
  createBatch: async (world) => ({ body: batchOf(await fileIn(world, input)) }),
  listFiles: async (world) => (await fileIn(world, input), { query: { limit: '2', purpose: 'batch' } }),
  listBatches: async (world) => (await batchIn(world, input), { query: { limit: '2' } }),
  retrieveFile: one,
  downloadFile: one,
  deleteFile: one,
  retrieveBatch: working,
  cancelBatch: working,
}

/** A request that is refused before anything of it is looked up. */
const unread = (op: DoorOp): Ask =>
  op === 'createFile' ? form(input) : op === 'createBatch' ? { body: batchOf('file-none') } : { id: 'none' }

const both = batchOps.flatMap((op): DoorCase[] => [
  { op, status: 200, what: 'all is well', ask: (world) => well[op]?.(world) ?? {} },
  { op, status: 401, what: 'no key', names: /Send a key/, ask: { ...unread(op), key: null } },
  { op, status: 401, what: 'a wrong bearer key', names: /wrong/, ask: { ...unread(op), key: 'wrong', bearer: true } },
  { op, status: 403, what: 'a key without the role', names: /data/, ask: { ...unread(op), key: keys.control } },
  { op, status: 500, what: 'what nobody foresaw', names: /log has it/, world: 'broken', ask: unread(op) },
  { op, status: 503, what: 'no disk', names: /durable/, world: 'diskless', ask: unread(op) },
])

const absent = (['retrieveFile', 'deleteFile', 'downloadFile', 'retrieveBatch', 'cancelBatch'] as const).flatMap((op): DoorCase[] => [
  { op, status: 404, what: 'an unknown one', names: /There is no/, ask: { id: 'nothing' } },
  { op, status: 404, what: "another key's", ask: async (world) => ({ ...(await well[op]?.(world)), key: keys.other }) },
])

const listed = (['listFiles', 'listBatches'] as const).map((op): DoorCase => ({
  op,
  status: 400,
  what: 'a limit that is none',
  names: /limit/,
  ask: { query: { limit: '0' } },
}))

/** Every case of files and batches. */
export const batchCases: readonly DoorCase[] = [
  ...both,
  ...absent,
  ...listed,
  { op: 'createFile', status: 400, what: 'another purpose', names: /purpose/, ask: form(input, { purpose: 'vision' }) },
  { op: 'createFile', status: 400, what: 'no purpose', names: /purpose/, ask: form(input, {}) },
  { op: 'createFile', status: 400, what: 'a file by another name', names: /lines/, ask: form(input, { purpose: 'batch' }, 'lines') },
  {
    op: 'createFile',
    status: 400,
    what: 'half a form',
    names: /form/,
    ask: { ...form(input), body: '--cut\r\nContent-Disposition: form-data' },
  },
  { op: 'createFile', status: 413, what: 'a large file', names: /limits\.file_bytes/, ask: form('x'.repeat(bounds.file_bytes + 1)) },
  {
    op: 'createFile',
    status: 429,
    what: 'more than its key may keep',
    names: /stored_bytes/,
    ask: { ...form(input.padEnd(300)), key: 'hoarder' },
  },
  { op: 'createFile', status: 415, what: 'JSON', names: /multipart/, ask: { body: '{}', headers: { 'Content-Type': 'application/json' } } },
  { op: 'deleteFile', status: 409, what: 'a batch needs it', names: /at work/, ask: async (w) => ({ id: (await batchIn(w, held)).file }) },
  {
    op: 'createBatch',
    status: 400,
    what: 'another window',
    names: /completion_window/,
    ask: { body: { ...batchOf('x'), completion_window: '1h' } },
  },
  { op: 'createBatch', status: 400, what: 'no body', names: /needs a JSON body/, ask: { body: '' } },
  { op: 'createBatch', status: 404, what: 'an unknown file', names: /There is no file/, ask: { body: batchOf('file-none') } },
  { op: 'createBatch', status: 413, what: 'a large body', names: /body_bytes/, ask: { body: '{}'.padEnd(bounds.body_bytes + 1) } },
  {
    op: 'createBatch',
    status: 415,
    what: 'text',
    names: /application\/json/,
    ask: { headers: { 'Content-Type': 'text/plain' }, body: '{}' },
  },
  { op: 'createBatch', status: 429, what: 'too many at work', names: /32 batches/, ask: busy },
  { op: 'createBatch', status: 503, what: 'the daemon stops', names: /stopping/, world: 'stopping', ask: { body: batchOf('file-none') } },
  { op: 'cancelBatch', status: 409, what: 'one that is over', names: /failed/, ask: overIn },
]
