import type { EngineRegistry } from '../../ports/engine-definition.ts'

/** The engines there are: a folder and a line for each. After a change here or of a definition: `npm run codegen`. */
export const engines = {
  mock: () => import('./mock/definition.ts'),
  llamacpp: () => import('./llamacpp/definition.ts'),
  vllm: () => import('./vllm/definition.ts'),
  sglang: () => import('./sglang/definition.ts'),
  tgi: () => import('./tgi/definition.ts'),
  triton: () => import('./triton/definition.ts'),
  ollama: () => import('./ollama/definition.ts'),
  openai: () => import('./openai/definition.ts'),
} satisfies EngineRegistry
