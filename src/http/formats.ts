import formats, { type FormatsPlugin } from 'ajv-formats'

type Ajv = Parameters<FormatsPlugin>[0]

/** Teaches ajv the formats of the contract, which it ignores by itself. */
export const addFormats = (ajv: Ajv): Ajv => (formats as unknown as FormatsPlugin)(ajv)
