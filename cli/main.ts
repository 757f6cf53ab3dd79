import { CommanderError } from 'commander'
import { explain, exit } from './common/exit.ts'
import { note } from './common/output.ts'
import { programOf } from './program.ts'

// Whoever reads only the first lines wants no more of them.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(exit.ok)
  })

let url = ''
const program = programOf()
program.hook('preAction', (_, command) => {
  url = command.opts<{ url?: string }>().url ?? ''
})
try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = statusOf(error)
}

function statusOf(error: unknown): number {
  // It has said itself what is wrong, or was asked for help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage
  const { message, status } = explain(error, url)
  if (status !== exit.interrupted) note(`orchestratord: ${message}`)
  return status
}
