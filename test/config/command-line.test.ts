import assert from 'node:assert/strict'
import { readCommandLine } from '../../src/config/command-line.ts'

describe('the command line', () => {
  const takes = (args: string[], command: ReturnType<typeof readCommandLine>): void => {
    it(`takes ${args.join(' ') || 'nothing'}`, () => assert.deepEqual(readCommandLine(args), command))
  }
  const refuses = (args: string[], ...lines: string[]): void => {
    const message = [...lines, 'orchestratord --help shows what it takes'].join('\n')
    it(`refuses ${args.join(' ')}`, () => assert.throws(() => readCommandLine(args), { name: 'ConfigError', message }))
  }

  takes([], { does: 'run' })
  takes(['--config', 'a.yaml'], { does: 'run', file: 'a.yaml' })
  takes(['--config=a.yaml', '--check'], { does: 'check', file: 'a.yaml' })
  takes(['--help'], { does: 'help' })
  takes(['-h'], { does: 'help' })
  takes(['--check', '--version'], { does: 'version' })

  refuses(
    ['--confg', 'a.yaml'],
    '--confg: is not known; did you mean --config?',
    'a.yaml: is not an option; a configuration file is named by --config FILE',
  )
  refuses(['--port=1'], '--port: is not known; known are --config, --check, --help, --version')
  refuses(['-x'], '-x: is not known; known are --config, --check, --help, --version')
  refuses(['--config'], '--config: needs a FILE')
  refuses(['--config='], '--config: needs a FILE')
  refuses(['--config', 'a', '--config', 'b'], '--config: is given twice')
  refuses(['--check=no'], '--check: takes no value')
})
