import type { Tool } from '../../domain/task.ts'
import { defined } from './defined.ts'

type Described = Tool['function']
type Given = { readonly [K in 'description' | 'parameters' | 'strict']?: Described[K] | null | undefined }

/** A function that the model may call, by the name it is to know; what is null counts as left out. */
export const functionTool = (name: string, { description, parameters, strict }: Given): Tool => ({
  type: 'function',
  function: { name, ...defined('description', description), ...defined('parameters', parameters), ...defined('strict', strict) },
})
