import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, fileNameOf, folder } from './bundle.ts'
import { exchange } from './exchange.ts'

/** The program, beside its compiled code. */
const program = 'orchestratord.cjs'

/**
 * Makes `lib` in a folder: the program `orchestratord.cjs`, all its code and its libraries. The folder is exchanged at once, so that two builds
 * side by side do no harm.
 * @throws Error where the code names what is not there
 */
export async function buildProgram(root: string): Promise<void> {
  const to = join(root, `${folder}.${process.pid}`)
  const programs: string[] = []
  const named = readFileSync(join(import.meta.dirname, '../../bin', program), 'utf8').replaceAll(
    /'\.\.\/([^'\n]+\.ts)'/g,
    (_, file: string) => {
      programs.push(file)
      return `'./${fileNameOf(file)}'`
    },
  )
  await bundle(programs, to)
  writeFileSync(join(to, program), named)
  exchange(to, join(root, folder))
}
