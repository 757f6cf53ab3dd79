import { keys } from '../harness/daemon.ts'
import { casesOf, noDisk, other, task, type Ask, type Case } from './case.ts'
import { type World } from './world.ts'
import { bounds } from './worlds.ts'

const { ttl_ms, budgets, max_turns } = bounds
/** More than the configuration lets a session have. */
const beyond = (what: string, names: RegExp, body: Record<string, unknown>) =>
  ({ status: 400, what, names, world: 'bounded', ask: { body } }) as const
/** A session that a task has made, and who asks for it. */
const madeByTask =
  (id: string, ask: Ask = {}) =>
  async (world: World): Promise<Ask> => (await world.task({ session_id: id }), { id, ...ask })
/** A task in a session with these budgets. */
const within = (given: Record<string, unknown>) => async (world: World) => task({ session_id: await world.session(given) })

/** What is left of all kinds of budgets. */
const left = {
  'x-budget-tokens-remaining': /^[0-9]+$/,
  'x-budget-time-remaining-ms': /^[0-9]+$/,
  'x-budget-cost-remaining': /^0\.[0-9]+$/,
}
const all = { tokens: 1000, time_ms: 60_000, cost: 0.9 }

/** Cases of sessions, and of tasks that their budgets refuse or end. */
export const sessions: readonly Case[] = [
  ...casesOf(
    'getSession',
    { status: 200, what: 'an own one', names: /"turns":1\b/, ask: madeByTask('seen') },
    {
      status: 200,
      what: 'one with budgets',
      names: /"tokens_budget_remaining":5\b/,
      ask: async (world) => ({ id: await world.session({ tokens: 5 }) }),
    },
    { status: 404, what: "another key's", ask: madeByTask('mine', other) },
  ),
  ...casesOf(
    'listSessions',
    { status: 200, what: 'its own', names: /^(?!.*owner).*"session_id":"listed"/, ask: madeByTask('listed') },
    {
      status: 200,
      what: 'all, and whose they are',
      names: /"session_id":"told","owner":"data"/,
      ask: madeByTask('told', { key: keys.all }),
    },
    { status: 200, what: "nothing of another key's", names: /^{"sessions":(?!.*unseen)/, ask: madeByTask('unseen', other) },
    {
      status: 200,
      what: 'a page',
      names: /"next_cursor":"[A-Za-z0-9_-]{43}"/,
      ask: async (world) => (await world.session(), await world.session(), { query: { limit: '1' } }),
    },
    { status: 400, what: 'a cursor of nobody', names: /query\.cursor/, ask: { query: { cursor: 'A'.repeat(43) } } },
    { status: 403, what: "another key's by name", names: /query\.owner/, ask: { query: { owner: 'other' } } },
  ),
  ...casesOf(
    'deleteSession',
    { status: 204, what: 'an own one', ask: madeByTask('gone') },
    { status: 404, what: "another key's", ask: madeByTask('kept', other) },
    noDisk({ id: 'waiting' }),
  ),
  ...casesOf(
    'putSession',
    { status: 200, what: 'a new one', ask: { id: 'fresh', body: {} } },
    {
      status: 200,
      what: 'a new one, as configured',
      names: /"tokens_budget_remaining":10000\b/,
      world: 'bounded',
      ask: { id: 'fresh', body: {} },
    },
    {
      status: 200,
      what: 'a new one with budgets',
      names: /"cost_budget_remaining":0.5\b/,
      ask: { id: 'own', body: { ttl_ms: 1000, budgets: { tokens: 100, time_ms: 1000, cost: 0.5 } } },
    },
    { status: 200, what: 'one with the most it may have', world: 'bounded', ask: { id: 'most', body: { ttl_ms, budgets } } },
    {
      status: 200,
      what: 'one a task has made',
      names: /"tokens_budget_remaining":/,
      ask: madeByTask('old', { body: { ttl_ms: 60_000, budgets } }),
    },
    {
      status: 200,
      what: 'one that was put',
      names: /"tokens_budget_remaining":7\b/,
      ask: async (world) => ({ id: await world.session({ tokens: 5 }), body: { budgets: { tokens: 7 } } }),
    },
    { status: 200, what: "another key's name", ask: async (world) => ({ id: await world.session(), body: {}, ...other }) },
    { status: 200, what: 'while the daemon stops', world: 'stopping', ask: { id: 'late', body: {} } },
    {
      status: 429,
      what: 'more sessions than its key may have',
      policy: 'rate-limit',
      names: /session_id: the key loner/,
      ask: async (world) => (await world.must(200, 'PUT', '/v1/sessions/first', {}, 'loner'), { id: 'second', body: {}, key: 'loner' }),
    },
    beyond('a longer life than configured', /ttl_ms/, { ttl_ms: ttl_ms + 1 }),
    beyond('more tokens than configured', /budgets\.tokens/, { budgets: { tokens: budgets.tokens + 1 } }),
    beyond('more time than configured', /budgets\.time_ms/, { budgets: { time_ms: budgets.time_ms + 1 } }),
    beyond('more money than configured', /budgets\.cost/, { budgets: { cost: budgets.cost + 0.01 } }),
    { status: 400, what: 'a budget of nothing', names: /budgets/, ask: { body: { budgets: { tokens: 0 } } } },
    { status: 400, what: 'a budget that is none', names: /budgets/, ask: { body: { budgets: { love: 1 } } } },
    noDisk({ id: 'waiting' }),
  ),
  ...casesOf(
    'createTask',
    { status: 202, what: 'within its budgets', world: 'bounded', ask: within({ tokens: 68 }) },
    { status: 202, what: 'within budgets of every kind', headers: left, ask: within(all) },
    {
      status: 200,
      what: 'the stream of one within budgets of every kind',
      ends: 'end',
      headers: left,
      ask: async (world) => ({ ...(await within(all)(world)), headers: { Accept: 'text/event-stream' } }),
    },
    {
      status: 403,
      what: 'more tokens than its session has',
      code: 'BUDGET_EXHAUSTED',
      names: /tokens.*session/,
      ask: within({ tokens: 67 }),
    },
    {
      status: 403,
      what: 'more money than its session has',
      code: 'BUDGET_EXHAUSTED',
      names: /cost.*session/,
      ask: within({ cost: 0.000039 }),
    },
    {
      status: 403,
      what: 'no time left',
      code: 'BUDGET_EXHAUSTED',
      names: /time_ms.*session/,
      ask: async (world) => task({ session_id: (await overtime(world)).session_id }),
    },
    { status: 403, what: 'more tokens than its key has', code: 'BUDGET_EXHAUSTED', names: /tokens.*key/, ask: task({}, 'poor') },
    { status: 403, what: 'no turns left', code: 'BUDGET_EXHAUSTED', names: /turns/, ask: turnless },
  ),
  ...casesOf(
    'streamTask',
    { status: 200, what: 'one whose time budget ran out', ends: 'BUDGET_EXHAUSTED', ask: overtime },
    {
      status: 200,
      what: 'one within budgets of every kind',
      ends: 'end',
      headers: left,
      ask: async (world) => ({ id: await world.task({ session_id: await world.session(all) }) }),
    },
  ),
]

/** A task that was stopped because its session's time ran out. */
async function overtime(world: World): Promise<Ask & { session_id: string }> {
  const session_id = await world.session({ time_ms: 10 })
  const id = await world.task({ session_id, model_ref: 'mock:slow' })
  await world.clock.advance(100)
  return { id, session_id }
}

async function turnless(world: World): Promise<Ask> {
  for (let turn = 0; turn < max_turns; turn++) await world.task({ session_id: 'spent' })
  return task({ session_id: 'spent' })
}
