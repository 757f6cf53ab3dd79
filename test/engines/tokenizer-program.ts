/** Stands in for the process of a tokenizer: it tells its pid and how many characters a text has. */
import type { Report, TokenizerCommand, TokenizerReadyMessage } from '../../src/adapters/engines/llamacpp/protocol.ts'

const post = (report: Report<TokenizerReadyMessage>): void => void process.send?.(report)

process.on('message', (message) => {
  const command = message as TokenizerCommand
  if (command.type === 'stop') process.exit(0)
  if (command.type === 'load') {
    const { model_path } = command
    process.stdout.write(`loads ${model_path}`)
    if (model_path === 'broken') post({ type: 'failed', message: 'the model is broken', retriable: false })
    else if (model_path !== 'endless') post({ type: 'ready', features: [] })
    return
  }
  const { id, prompt, given, count } = command
  const text = ('text' in prompt ? prompt.text : '') + given
  if (text === 'crash') process.exit(3)
  if (text === 'fail') post({ type: 'failed', message: 'the model is gone', retriable: true })
  else if (text === 'refused') post({ type: 'error', id, message: 'it is refused', retriable: false })
  else if (text !== 'endless')
    post(count ? { type: 'counted', id, tokens: text.length } : { type: 'encoded', id, tokens: [process.pid, text.length] })
})
process.on('disconnect', () => process.exit(0))
