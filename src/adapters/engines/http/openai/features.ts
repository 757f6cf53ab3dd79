import type { EngineFeature } from '../../../../ports/engine-definition.ts'

/** What a server can at most that speaks the whole of OpenAI's API. */
export const openAiFeatures: readonly EngineFeature[] = [
  ...(['replayable', 'chat_template', 'system_messages', 'stop_sequences', 'tools', 'json_object', 'json_schema'] as const),
  ...(['images', 'audio', 'logprobs', 'reasoning', 'penalties', 'logit_bias', 'prefill', 'continues', 'token_inputs'] as const),
]
