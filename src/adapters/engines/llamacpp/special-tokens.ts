import type { LlamaModel, Token } from 'node-llama-cpp'

/** A token that is no text. */
export interface SpecialToken {
  readonly token: Token
  /** The tokenizer eats white space before it. */
  readonly lstrip: boolean
  /** The tokenizer eats white space after it. */
  readonly rstrip: boolean
}

/** Tokens of a model that are no text, by what they are called. */
export function specialTokensOf(model: LlamaModel): ReadonlyMap<string, SpecialToken> {
  const specials = new Map<string, SpecialToken>()
  for (const [index, text] of model.fileInfo.metadata.tokenizer.ggml.tokens.entries()) {
    const token = index as Token
    const attributes = model.getTokenAttributes(token)
    // llama.cpp parses the user-defined kind in plain text too: these are words of the vocabulary, not controls.
    if (text.length === 0 || !(attributes.control || attributes.unknown)) continue
    specials.set(text, { token, lstrip: attributes.lstrip, rstrip: attributes.rstrip })
  }
  return specials
}
