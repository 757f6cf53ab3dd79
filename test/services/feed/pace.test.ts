import assert from 'node:assert/strict'
import { parseFrame } from '../../../cli/contract/frame.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, boss, poolConfig, startRig } from '../../harness/rig.ts'
import { Watcher } from './watcher.kit.ts'

describe('the pace of the feed', () => {
  it('is nothing while nothing changes but a comment every 2 s', async () => {
    const rig = await startRig()
    const watcher = new Watcher(rig.feed, boss).read()
    await rig.clock.advance(1500)
    watcher.read()
    const before = watcher.events.length
    for (let second = 0; second < 20; second++) {
      await rig.clock.advance(1000)
      watcher.read()
    }
    const since = watcher.events.slice(before)
    assert.equal(since.filter((event) => event === 'sample').length, 4)
    // Each sample comes with an id, which stands in a frame of changes.
    assert.equal(since.filter((event) => event === 'changes').length, 4)
    assert.ok(since.filter((event) => event === 'comment').length >= 6)
  })

  it('is at most ten frames a second, four with progress and one with pools, however fast things change', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 4 }] })] })
    const watcher = new Watcher(rig.feed, boss).read()
    const wire = watcher.wire.length
    for (let n = 0; n < 6; n++) await rig.run()
    for (let step = 0; step < 300; step++) {
      for (const call of rig.engine().running) call.say('x')
      if (step % 7 === 0) rig.engine().running[0]?.finish()
      if (step % 7 === 0) await rig.run()
      await rig.clock.advance(10)
      watcher.read()
    }
    const told = watcher.wire.slice(wire)
    const frames = told.split('\n\n').filter((frame) => frame.includes('event: changes'))
    assert.ok(frames.length <= 31, `${frames.length} frames in 3 s`)
    assert.ok(frames.length >= 20)
    for (const [field, most] of [
      ['"progress":', 13],
      ['"pools":', 4],
      ['"keys":', 4],
      ['"daemon":', 4],
    ] as const) {
      const count = frames.filter((frame) => frame.includes(field)).length
      assert.ok(count > 0 && count <= most, `${count} frames with ${field} in 3 s`)
    }
  })

  for (const seconds of [0, 1, 2, 3])
    it(`tells within a second that a task waits for its replica alone, ${seconds} s after the start`, async () => {
      const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 2 }] })] })
      const watcher = new Watcher(rig.feed, boss).read()
      for (const task_id of ['a', 'b']) await rig.run({ task_id, session_id: `s-${task_id}` })
      await rig.clock.advance(1000 * seconds)
      for (let run = 0; run < 2; run++) {
        // A look in between: the second failure is a moment of its own.
        await rig.clock.advance(150)
        const call = rig.engine().running.find(({ request }) => request.session === 'ann/s-a')
        assert.ok(call !== undefined)
        call.fail()
        await settled()
      }
      await rig.clock.advance(1100)
      const row = [...watcher.read().picture.rows.values()].find(({ task_id }) => task_id === 'a')
      assert.deepEqual([row?.state, row?.waits?.code], ['running', 'runs_alone'])
    })

  it('looks at each pool once a second, and at each in a moment of its own', async () => {
    const ids = Array.from({ length: 10 }, (_, n) => `p${n}`)
    const rig = await startRig({ pools: ids.map((id) => poolConfig({ id, model: `mock:${id}`, replicas: [{ id: 'r0', slots: 1 }] })) })
    const watcher = new Watcher(rig.feed, boss).read()
    const told = watcher.wire.length
    for (let step = 0; step < 30; step++) {
      for (const id of ids.filter((_, n) => Math.floor(n / 5) === step % 2)) await rig.run({ model_ref: `mock:${id}` })
      await rig.clock.advance(100)
      watcher.read()
    }
    const frames = watcher.wire
      .slice(told)
      .split('\n\n')
      .filter((frame) => frame.includes('event: changes'))
    const pools = frames.map((frame) => {
      const { data } = parseFrame(frame)
      return (data as { pools?: { pool_id: string }[] }).pools?.map(({ pool_id }) => pool_id) ?? []
    })
    assert.deepEqual([...new Set(pools.map((some) => some.length))], [1])
    for (const id of ids) assert.equal(pools.flat().filter((one) => one === id).length, 3)
  })

  it('is four looks a second where much happens, with progress and pools as often, and whole again after it', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 2 }], queue: { capacity: 1000 } })] })
    const watcher = new Watcher(rig.feed, boss).read()
    const framesIn = async (steps: number, tasks: number): Promise<string[]> => {
      const told = watcher.wire.length
      for (let step = 0; step < steps; step++) {
        for (let n = 0; n < tasks; n++) await rig.run()
        rig.engine().running[0]?.say('x')
        await rig.clock.advance(100)
        watcher.read()
      }
      return watcher.wire
        .slice(told)
        .split('\n\n')
        .filter((frame) => frame.includes('event: changes'))
    }
    await framesIn(10, 10)
    const much = await framesIn(20, 10)
    assert.equal(much.length, 8)
    const those = (field: string): number => much.filter((frame) => frame.includes(field)).length
    assert.ok(those('"progress":') >= 4, `${those('"progress":')} frames with progress in 2 s`)
    assert.equal(those('"pools":'), 2)
    await framesIn(2, 1)
    assert.equal((await framesIn(20, 1)).length, 20)
  })

  it('tells of each of many that run how far it is every other second', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 120 }], queue: { capacity: 1000 } })] })
    const watcher = new Watcher(rig.feed, boss).read()
    for (let n = 0; n < 120; n++) await rig.run()
    await rig.clock.advance(3000)
    const told = watcher.read().wire.length
    for (let second = 0; second < 8; second++) {
      for (const call of rig.engine().running) call.say('x')
      await rig.clock.advance(1000)
      watcher.read()
    }
    const times = new Map<number, number>()
    for (const frame of watcher.wire.slice(told).split('\n\n')) {
      if (!frame.includes('event: changes')) continue
      const { progress = [] } = parseFrame(frame).data as { progress?: [number, number][] }
      for (const [h] of progress) times.set(h, (times.get(h) ?? 0) + 1)
    }
    assert.equal(times.size, 120)
    assert.deepEqual(new Set(times.values()), new Set([4]))
  })

  it('tells of devices what their driver tells, by name, and who uses them', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 1, devices: [1] }] })] })
    const watcher = new Watcher(rig.feed, boss).read()
    rig.events.emit({ type: 'devices_seen', devices: [{ index: 0 }, { index: 1, name: 'NVIDIA GeForce RTX 4090', utilization: 0.5 }] })
    await rig.clock.advance(1100)
    assert.deepEqual(watcher.read().picture.devices, [
      { index: 0, used_by: [] },
      { index: 1, name: 'NVIDIA GeForce RTX 4090', busy: 0.5, used_by: [{ pool_id: 'pool', replica_id: 'r0' }] },
    ])
  })

  it('does not depend on who reads: one that slept gets one frame with all there is, as does one that comes back', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 2 }] })] })
    const [awake, asleep, gone] = [boss, boss, ann].map((who) => new Watcher(rig.feed, who).read())
    gone!.close()
    for (let n = 0; n < 40; n++) {
      await rig.run({ task_id: `t${n}` })
      rig.engine().running[0]?.finish()
      await rig.clock.advance(150)
      awake!.read()
    }
    assert.ok(awake!.events.length > 30)
    asleep!.read()
    assert.deepEqual(
      asleep!.events.filter((event) => event !== 'sample'),
      ['snapshot', 'changes'],
    )
    assert.deepEqual([...asleep!.picture.rows.keys()], [...awake!.picture.rows.keys()])
    assert.deepEqual(
      asleep!.ended.map(({ task_id }) => task_id),
      awake!.ended.map(({ task_id }) => task_id),
    )
    gone!.reconnect()
    gone!.read()
    assert.deepEqual(
      gone!.events.filter((event) => event !== 'sample'),
      ['snapshot', 'changes'],
    )
  })

  it('ends for its readers when the daemon stops', async () => {
    const rig = await startRig()
    await rig.run()
    const watcher = new Watcher(rig.feed, boss).read()
    assert.equal(watcher.picture.daemon?.stopping, false)
    const stopping = rig.quiesce(60_000)
    await rig.clock.advance(2100)
    assert.equal(watcher.read().picture.daemon?.stopping, true)
    assert.equal(watcher.done, false)
    rig.engine().call.finish()
    await settled()
    await rig.clock.advance(100)
    await stopping
    assert.equal(watcher.read().done, true)
    assert.equal(new Watcher(rig.feed, boss).done, true)
  })
})

describe('the bounds of the feed', function () {
  it('keep a snapshot below 512 KiB, and say how many run and wait that are not in it', async () => {
    const pools = [poolConfig({ replicas: [{ id: 'r0', slots: 650 }], queue: { capacity: 5000 } })]
    const rig = await startRig({ pools })
    for (let n = 0; n < 900; n++) {
      const id = `${String(n).padStart(5, '0')}${'x'.repeat(120)}`
      await rig.admit({ task_id: id, session_id: id })
    }
    await rig.clock.advance(200)
    const watcher = new Watcher(rig.feed, boss, { rows: 100 }).read()
    assert.ok(Buffer.byteLength(watcher.wire) <= 512 * 1024, `${Buffer.byteLength(watcher.wire)} bytes`)
    const rows = [...watcher.picture.rows.values()]
    assert.equal(watcher.picture.running_total, 650)
    assert.equal(rows.filter(({ state }) => state === 'queued').length, 100)
    assert.ok(rows.filter(({ state }) => state === 'running').length > 300)
    const order = watcher.picture.order.get('pool')!
    assert.deepEqual([order.total, order.rest?.count, order.rest?.keys], [250, 150, [{ key_name: 'ann', count: 150 }]])
  })
})
