import { anthropicErrors } from '../doors/anthropic/errors.ts'
import { openaiErrors } from '../doors/openai/errors.ts'
import { nativeShape, type ErrorShape } from '../middleware/error-envelope.ts'
import type { Door } from './operations.ts'

/** How each door tells errors, and what it calls the id of a request. */
export const shapes: Readonly<Record<Door, ErrorShape>> = { native: nativeShape, openai: openaiErrors, anthropic: anthropicErrors }
