import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const { TEST_ENGINES, XDG_CACHE_HOME, HOME = homedir() } = process.env

/** Where the scripts of package.json install what tests run for real. */
export const installedBelow = TEST_ENGINES ?? join(XDG_CACHE_HOME ?? join(HOME, '.cache'), 'orchestratord-test')

/**
 * A suite that needs something real. Where it is not installed its tests are skipped, and the title says how to install it.
 * @param folder its folder below `installedBelow`
 * @param script the one of package.json that installs it
 */
export function withInstalled(folder: string, script: string, title: string, suite: () => void): void {
  if (existsSync(join(installedBelow, folder, 'installed'))) describe(title, suite)
  else describe.skip(`${title} (${folder} is not installed here: npm run ${script})`, suite)
}
