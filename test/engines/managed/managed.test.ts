import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { EngineError } from '../../../src/ports/engine.ts'
import { until, untilAnswer } from '../../harness/wait.ts'
import { groupOf, isThere, ManagedBench, program, request } from './managed.kit.ts'

describe('a managed server', () => {
  let bench: ManagedBench
  const signal = new AbortController().signal
  afterEach(() => bench.engine.stop())

  it('is started, waited for and asked', async () => {
    bench = await ManagedBench.of()
    const props = await bench.start()
    assert.deepEqual([props.ctx_max, props.slots, props.reload], [256, 8, undefined])
    let text = ''
    const { finish_reason } = await bench.engine.generate(request, (part) => void (text += part.text), signal)
    assert.deepEqual([text.slice(0, 6), finish_reason], [' 0 1 2', 'length'])
  })

  it('is told its port, slots, context, devices and name, and sees no others of the devices', async () => {
    const shown = ['--shown', '{slots}/{ctx}/{ctx_total}/{devices}/{replica}/{model}', '--shown', '{"a":{"b":1}}', '--model', '{model}']
    bench = await ManagedBench.of({
      ctx: 64,
      model: 'openai:org/x',
      command: program(...shown),
      replicas: [{ id: 'a', slots: 2, devices: [1, 0] }],
    })
    const props = await bench.start()
    const about = await bench.about()
    assert.deepEqual(about.shown, ['2/64/128/1,0/a/org/x', '{"a":{"b":1}}'])
    assert.deepEqual([about.env['CUDA_VISIBLE_DEVICES'], about.env['CUDA_DEVICE_ORDER']], ['1,0', 'PCI_BUS_ID'])
    assert.equal(props.reload, 'swap')
  })

  it('gets no variable of the environment that nobody named', async () => {
    process.env['ORCHD_TEST_SECRET'] = 'secret'
    process.env['MANAGED_NAMED'] = 'named'
    process.env['MANAGED_OTHER'] = 'secret'
    bench = await ManagedBench.of({ env: ['MANAGED_NAMED', 'MANAGED_NOT_SET'] })
    await bench.start()
    const { env } = await bench.about()
    assert.equal(env['MANAGED_NAMED'], 'named')
    assert.equal(env['PATH'], process.env['PATH'])
    assert.doesNotMatch(JSON.stringify(env), /secret|NODE_CHANNEL/)
  })

  it('ends with all that it has started, though its child ignores SIGTERM', async () => {
    bench = await ManagedBench.of()
    await bench.start()
    const { pid, child } = await bench.about()
    assert.deepEqual([isThere(pid), isThere(child)], [true, true])
    await bench.engine.stop()
    assert.deepEqual([isThere(pid), isThere(child), bench.downs], [false, false, []])
  })

  it('that ignores SIGTERM itself is killed after its grace', async () => {
    bench = await ManagedBench.of({ command: program('--stubborn') })
    await bench.start()
    const { pid, child } = await bench.about()
    await bench.engine.stop()
    assert.deepEqual([isThere(pid), isThere(child)], [false, false])
  })

  it('that dies is told of once, with its signal, and leaves nothing; then it can be started again', async () => {
    bench = await ManagedBench.of({ stop_ms: 120_000 })
    await bench.start()
    const { pid, child } = await bench.about()
    let parts = 0
    const onPart = (): void => {
      // What comes after the first was on its way.
      if (++parts === 1) process.kill(pid, 'SIGKILL')
    }
    await assert.rejects(bench.engine.generate(request, onPart, signal), EngineError)
    await until(() => bench.downs.length > 0)
    await bench.engine.stop()
    assert.equal(bench.downs.length, 1)
    assert.ok(bench.lines.includes('the process ended with SIGKILL'), bench.lines.join('\n'))
    assert.equal(isThere(child), false)
    await bench.start()
    assert.notEqual((await bench.about(2)).pid, pid)
  })

  it('that is hit by a signal while it is told to end is told of with that signal', async () => {
    bench = await ManagedBench.of({ command: program('--stubborn'), stop_ms: 120_000 })
    await bench.start()
    const { pid } = await bench.about()
    const stopping = bench.engine.stop()
    await untilAnswer(
      () => Promise.resolve(bench.lines),
      (lines) => lines.includes('told to end'),
    )
    process.kill(pid, 'SIGKILL')
    await stopping
    assert.ok(bench.lines.includes('the process ended with SIGKILL'), bench.lines.join('\n'))
  })

  it('that cannot come up says so with its code; its last words are in the log, made harmless', async () => {
    bench = await ManagedBench.of({ command: program('--dies', '7') })
    await assert.rejects(bench.start(), { name: 'EngineError', message: 'the process of the engine ended with code 7' })
    const { child } = await bench.about()
    assert.equal(isThere(child), false)
    const told = 'the process ended with code 7; the last it wrote as errors: no \\u{1b}[31mmemory\\u{1b}[0m left'
    await until(() => bench.lines.includes(told))
  })

  it('that is no program says so', async () => {
    bench = await ManagedBench.of({ command: ['/nonexistent/engine', '{port}'] })
    await assert.rejects(bench.start(), { message: 'the process of the engine could not be started: spawn /nonexistent/engine ENOENT' })
  })

  it('is not waited for any more once it is stopped', async () => {
    bench = await ManagedBench.of({ command: program('--mute') })
    const starting = bench.start()
    const refused = assert.rejects(starting, EngineError)
    const { pid, child } = await bench.about()
    await bench.engine.stop()
    await refused
    assert.deepEqual([isThere(pid), isThere(child)], [false, false])
  })

  it('that serves another model than it should is ended', async () => {
    bench = await ManagedBench.of({ model: 'openai:other' })
    await assert.rejects(
      bench.start(),
      /^EngineError: the engine does not serve other, and loads no other model than the one it was started with: start it with other, /,
    )
    const { pid, child } = await bench.about()
    assert.deepEqual([isThere(pid), isThere(child)], [false, false])
  })

  it('ends when its supervisor is killed', async () => {
    bench = await ManagedBench.of()
    await bench.start()
    const { pid, child } = await bench.about()
    process.kill(groupOf(pid), 'SIGKILL')
    await until(() => bench.downs.length > 0)
    await untilAnswer(
      () => Promise.resolve([isThere(pid), isThere(child)]),
      (there) => !there.includes(true),
    )
  })

  it('with a port of its own is not started while somebody else has it', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { readonly port: number }
    bench = await ManagedBench.of({ replicas: [{ id: 'r0', port }] })
    await assert.rejects(bench.start(), { message: `port ${port} of 127.0.0.1 is in use by another process` })
    assert.deepEqual(bench.lines, [])
    await new Promise((resolve) => other.close(resolve))
    assert.equal((await bench.start()).reload, 'swap')
  })
})
