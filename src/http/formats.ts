import type { Ajv } from 'ajv'
import formats, { type FormatsPlugin } from 'ajv-formats'

/** Teaches ajv the formats of the contract, which it ignores by itself. */
export const addFormats = (ajv: Ajv): Ajv => (formats as unknown as FormatsPlugin)(ajv)
