import assert from 'node:assert/strict'
import { After, AfterAll, Before, defineParameterType, setDefaultTimeout } from '@cucumber/cucumber'
import { duration, milliseconds } from './match.ts'
import type { Story } from './world.ts'

// A guard against what hangs, not a measurement.
setDefaultTimeout(300_000)

defineParameterType({ name: 'person', regexp: /Ana|Ben|the operator/, transformer: (name: string) => name })
defineParameterType({ name: 'duration', regexp: duration, transformer: milliseconds })
defineParameterType({ name: 'code', regexp: /[A-Z]+(?:_[A-Z]+)*/, transformer: (code: string) => code })

let scenarios = 0

Before(() => {
  scenarios++
})

After(async function (this: Story) {
  await this.close()
})

AfterAll(() => {
  assert.notEqual(scenarios, 0, 'no scenario ran')
})
