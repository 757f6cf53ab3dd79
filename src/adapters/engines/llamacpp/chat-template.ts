import { Template } from '@huggingface/jinja'

/** A message as templates know it. */
export interface TemplateMessage {
  readonly role: string
  readonly content: string
  readonly name?: string
}

/** Renders a conversation up to where the model's turn begins. Throws what the template raises. */
export type ChatTemplate = (messages: readonly TemplateMessage[]) => string

/**
 * Takes the interpreter's clock away, so that templates which write the date fall back to a fixed one: the same request has to
 * give the same prompt tomorrow. The interpreter eats the newline after a block.
 */
const WITHOUT_CLOCK = '{% set strftime_now = never_defined %}\n'

/**
 * Compiles the chat template a GGUF brings along.
 *
 * node-llama-cpp's own wrappers join messages, move system prompts and render without `add_generation_prompt`; a client of a
 * chat API expects what the template says. So this renders it as Hugging Face's `apply_chat_template` does, with the same Jinja
 * interpreter as node-llama-cpp.
 */
export function compileChatTemplate(source: string, tokens: { readonly bos: string; readonly eos: string }): ChatTemplate {
  const template = new Template(WITHOUT_CLOCK + source)
  return (messages) =>
    template.render({
      messages,
      add_generation_prompt: true,
      bos_token: tokens.bos,
      eos_token: tokens.eos,
      tools: null,
      documents: null,
    })
}
