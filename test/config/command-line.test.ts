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

  takes([], { does: 'run', engines: [] })
  takes(['--config', 'a.yaml'], { does: 'run', engines: [], file: 'a.yaml' })
  takes(['--config=a.yaml', '--check'], { does: 'check', engines: [], file: 'a.yaml' })
  takes(['--help'], { does: 'help', engines: [] })
  takes(['-h'], { does: 'help', engines: [] })
  takes(['--check', '--version'], { does: 'version', engines: [] })
  takes(['--engine', 'http://127.0.0.1:8081/', '--engine=http://box:11434#qwen3:8b'], {
    does: 'run',
    engines: [
      { source: '--engine', url: 'http://127.0.0.1:8081' },
      { source: '--engine', url: 'http://box:11434', model: 'qwen3:8b' },
    ],
  })

  refuses(
    ['--confg', 'a.yaml'],
    '--confg: is not known; did you mean --config?',
    'a.yaml: is not an option; a configuration file is named by --config FILE',
  )
  refuses(['--port=1'], '--port: is not known; known are --config, --engine, --check, --help, --version')
  refuses(['-x'], '-x: is not known; known are --config, --engine, --check, --help, --version')
  refuses(['--config'], '--config: needs a FILE')
  refuses(['--config='], '--config: needs a FILE')
  refuses(['--config', 'a', '--config', 'b'], '--config: is given twice')
  refuses(['--engine'], '--engine: needs the URL of a server')
  refuses(
    ['--engine', 'box:8081', '--engine=http://ann:pass@box'],
    '--engine: "box:8081" is not the URL of a server, such as http://127.0.0.1:8081',
    '--engine: "http://...@box" is not the URL of a server, such as http://127.0.0.1:8081',
  )
  refuses(['--check=no'], '--check: takes no value')
})
