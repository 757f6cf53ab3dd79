import { Replica } from '../../../src/services/pools/replica.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { ScriptedEngine } from '../../harness/scripted-engine.ts'

/** A replica of two slots, on a clock and an engine that the test rules, and what it told of itself. */
export function benchOf(engine = new ScriptedEngine()) {
  const clock = new FakeClock()
  const changes: string[] = []
  const onChange = (changed: Replica, change: 'state' | 'slot'): void => void changes.push(change === 'slot' ? 'slot' : changed.state)
  const replica = new Replica({ id: 'r0', slots: 2, devices: [], start_ms: 5000, engine, clock, jitter: () => 1, onChange })
  return { engine, clock, changes, replica }
}
