import type { FieldNames } from '../common/field-names.ts'

const common: FieldNames = [
  [/^(?:model_ref|workload)$/, 'model'],
  [/^sampling\./, ''],
]

/** Items are not the messages that they are turned into, so an index would mislead. Tools come flat, and in namespaces. */
const responses: FieldNames = [
  [/^messages.*/, 'input'],
  [/^response_format(?:\.json_schema)?/, 'text.format'],
  [/^logprobs$/, 'include'],
  [/^tools\[.*/, 'tools'],
  [/^tool_choice\.function\./, 'tool_choice.'],
  ...common,
]

const byOperation: Readonly<Record<string, FieldNames>> = {
  createResponse: responses,
  createEmbedding: [[/^inputs/, 'input'], ...common],
  createRerank: [[/^inputs/, 'documents'], [/^prompt$/, 'query'], ...common],
}

/** What the fields of a task are called in the requests of an operation. */
export const fieldNamesOf = (operation_id: string | undefined): FieldNames => byOperation[operation_id ?? ''] ?? common
