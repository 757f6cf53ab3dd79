import assert from 'node:assert/strict'
import { FakeClock, settled } from '../harness/fake-clock.ts'
import { ann, refusalOf, startRig } from '../harness/rig.ts'

describe('usage', () => {
  it('has a refusal on its own day, also where that is written on the next, at the second try', async () => {
    const rig = await startRig({ clock: new FakeClock(Date.UTC(2026, 0, 1, 23, 59, 58)) })
    await refusalOf(rig.admit({ max_tokens: 8192 }))
    rig.storage.broken = true
    await rig.clock.advance(6000)
    assert.equal(rig.lines.filter(({ message }) => message.startsWith('Counted refusals cannot be written')).length, 1)
    rig.storage.broken = false
    await refusalOf(rig.admit({ max_tokens: 8192 }))
    await rig.clock.advance(6000)
    const days = async (query: object) => (await rig.usage.list(ann, query)).usage.map(({ day, refusals }) => [day, refusals]).sort()
    const [first, second] = [
      ['2026-01-01', 1],
      ['2026-01-02', 1],
    ]
    assert.deepEqual(await days({}), [first, second])
    assert.deepEqual(await days({ from: '2026-01-02', to: '2026-01-02' }), [second], 'one day is a time, too')
    assert.deepEqual(await days({ to: '2026-01-01' }), [first])
    assert.match((await refusalOf(rig.usage.list(ann, { from: '2026-01-02', to: '2026-01-01' }))).message, /query\.from/)
  })

  it('has what the engine had in its cache, as it says', async () => {
    const rig = await startRig()
    await rig.run()
    rig.engine().call.finish({ tokens_in: 9, tokens_in_cached: 5, tokens_out: 2 })
    await settled()
    const { usage } = await rig.usage.list(ann, {})
    assert.deepEqual(
      usage.map(({ tasks, tokens_in, tokens_in_cached, tokens_out }) => ({ tasks, tokens_in, tokens_in_cached, tokens_out })),
      [{ tasks: 1, tokens_in: 9, tokens_in_cached: 5, tokens_out: 2 }],
    )
  })
})
