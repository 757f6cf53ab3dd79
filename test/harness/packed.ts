import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryDir } from './process.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

/** Makes the package and installs it in an empty folder. Nothing is fetched: all of it is in the package. */
export async function installPackage(folder: string): Promise<void> {
  const made = temporaryDir()
  const { stdout } = await run('npm', ['run', '--silent', 'package', '--', made.path], { cwd: root })
  writeFileSync(join(folder, 'package.json'), '{}')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', stdout.trim()], { cwd: folder })
  made.remove()
}
