import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { librariesInstalled, modelFilesExist } from '../../src/compose/engines.ts'
import { ConfigError, loadConfig, type Config } from '../../src/config/config.ts'
import { modelsDir, temporaryDir } from '../harness/process.ts'

/** A configuration file: its text, or what stands in it beside defaults that suit a test. */
export type Given = Readonly<Record<string, unknown>> | string

/** A directory for a test with a configuration file in it. */
export class ConfigDir {
  readonly dir = temporaryDir()
  readonly file = join(this.dir.path, 'orchestratord.yaml')

  /** Loads the file as a start does. */
  load(config: Given, env: Readonly<Record<string, string>> = {}): Config {
    const text =
      typeof config === 'string'
        ? config
        : JSON.stringify({ data_dir: ':memory:', log_level: 'silent', models_dir: modelsDir, ...config }, null, 1)
    writeFileSync(this.file, text)
    return loadConfig(this.file, env, [], librariesInstalled, modelFilesExist).config
  }

  /** The lines of the refusal, with `FILE` in place of the file's name; no secret is in them. */
  refusal(config: Given, env: Readonly<Record<string, string>> = {}): string[] {
    try {
      this.load(config, env)
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error))
      assert.doesNotMatch(error.message, /secret/)
      return error.message.split('\n').map((line) => line.replaceAll(this.file, 'FILE'))
    }
    return assert.fail('it was taken')
  }

  /** The same without the numbers of lines. */
  refusalAnywhere(config: Given, env: Readonly<Record<string, string>> = {}): string[] {
    return this.refusal(config, env).map((line) => line.replace(/^FILE:\d+:/, 'FILE:'))
  }

  remove(): void {
    this.dir.remove()
  }
}
