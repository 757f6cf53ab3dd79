import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installed, withEngine } from '../harness/real-engines.ts'

const promtool = installed('promtool', 'usr/bin/promtool')
const run = promisify(execFile)
const folder = join(import.meta.dirname, '../../deploy/prometheus')

withEngine('promtool', 'rules of alerts, by Prometheus itself', () => {
  it('are well formed', () => run(promtool, ['check', 'rules', join(folder, 'alerts.yml')]))
  it('fire when they should, and only then', () => run(promtool, ['test', 'rules', join(folder, 'alerts.test.yml')]))
  it('are loaded by the configuration beside them', () => run(promtool, ['check', 'config', join(folder, 'prometheus.yml')]))
})
