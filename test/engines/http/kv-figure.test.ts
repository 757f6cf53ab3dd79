import assert from 'node:assert/strict'
import type { EngineClient } from '../../../src/adapters/engines/http/client.ts'
import type { Dialect, ServerProps } from '../../../src/adapters/engines/http/dialect.ts'
import { KvFigure } from '../../../src/adapters/engines/http/kv-figure.ts'
import { settled } from '../../harness/fake-clock.ts'

describe('the figure of a KV cache', () => {
  let asked = 0
  const figureOf = (more: Partial<Dialect>): KvFigure => {
    asked = 0
    const kvUsage = () => Promise.resolve(++asked)
    return new KvFigure({ kvUsage, ...more } as unknown as Dialect, {} as EngineClient, {} as ServerProps)
  }
  /** What it says when it is looked at that often, and how often it is asked for. */
  const looks = async (figure: KvFigure, times: number): Promise<number> => {
    for (let n = 0; n < times; n++) {
      figure.get()
      await settled()
    }
    return asked
  }

  it('is fetched anew by each look', async () => {
    const figure = figureOf({})
    assert.equal(figure.get(), undefined)
    await settled()
    assert.equal(figure.get(), 1)
    await settled()
    assert.equal(await looks(figure, 3), 5)
  })

  it('is fetched only while something runs and once afterwards, where that wakes the server', async () => {
    const figure = figureOf({ kvWakes: true })
    assert.equal(await looks(figure, 3), 1)
    figure.begun()
    figure.begun()
    assert.equal(await looks(figure, 3), 4)
    figure.ended()
    assert.equal(await looks(figure, 3), 7)
    figure.ended()
    assert.equal(await looks(figure, 3), 8)
    assert.equal(figure.get(), 8)
  })

  it('is none after a failure', async () => {
    const answers = [() => Promise.resolve(0.5), () => Promise.reject(new Error('gone'))]
    const figure = figureOf({ kvUsage: () => answers.shift()?.() ?? Promise.resolve(undefined) })
    figure.get()
    await settled()
    assert.equal(figure.get(), 0.5)
    await settled()
    assert.equal(figure.get(), undefined)
  })
})
