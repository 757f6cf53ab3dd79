import type { Command } from 'commander'
import { command } from '../common/command.ts'
import type { Options } from '../machine/init.ts'

/** `init`: writes the configuration of what runs here. */
export const init = (): Command =>
  command('init', 'Find llama-server, vLLM, Ollama and others on this machine and write the configuration; never writes over one', [
    'orchestratord init',
    'orchestratord init --engine http://127.0.0.1:8081 --config box.yaml',
  ])
    .option('--config <file>', 'the file that is written', 'orchestratord.yaml')
    .option('--listen <address>', 'where the daemon will listen', '127.0.0.1:8080')
    .option('--engine <url...>', 'look there, not on the usual ports')
    .action(async (options: Options) => (await import('../machine/init.ts')).write(options))
