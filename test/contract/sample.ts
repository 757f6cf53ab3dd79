import type { JsonObject } from '../../cli/contract/document.ts'

const json = (name: string): JsonObject => ({ 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } })

/** A small contract that has one of everything the differ looks at, made anew on each call. */
export const sample = (): JsonObject => ({
  openapi: '3.0.3',
  info: { title: 'sample', version: '1.0.0' },
  security: [{ Key: [] }, { Bearer: [] }],
  paths: {
    '/v1/things': {
      post: {
        operationId: 'createThing',
        'x-role': 'data',
        security: [{ Key: [] }, { Bearer: [] }],
        parameters: [{ $ref: '#/components/parameters/Limit' }],
        requestBody: { required: true, content: json('Request') },
        responses: {
          200: {
            description: 'Made.',
            headers: { Location: { required: true, schema: { type: 'string', maxLength: 64 } } },
            content: json('Reply'),
          },
          404: { description: 'Unknown.' },
        },
      },
    },
    '/v1/things/{id}': {
      get: {
        operationId: 'getThing',
        'x-role': 'data',
        security: [],
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'It.' }, 404: { $ref: '#/components/responses/Unknown' } },
        'x-sse-events': { end: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } } },
      },
      put: { operationId: 'putThing', requestBody: { content: json('Request') }, responses: { 200: { description: 'Put.' } } },
    },
  },
  components: {
    securitySchemes: { Key: { type: 'apiKey', in: 'header', name: 'X-Key' }, Bearer: { type: 'http', scheme: 'bearer' } },
    parameters: { Limit: { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 10 } } },
    responses: { Unknown: { description: 'Unknown.' } },
    schemas: {
      Request: {
        type: 'object',
        additionalProperties: false,
        required: ['name'],
        properties: {
          name: { type: 'string', pattern: '^[a-z]+$' },
          note: { type: 'string', maxLength: 10, nullable: true, description: 'Words.' },
          count: { type: 'integer', minimum: 1, maximum: 100, default: 5 },
          share: { type: 'number', minimum: 0 },
          kind: { type: 'string', enum: ['a', 'b'] },
          sort: { type: 'string', enum: ['a'], 'x-extensible': true },
          list: { type: 'array', maxItems: 4, items: { type: 'string', maxLength: 5 } },
          labels: { type: 'object', maxProperties: 4, additionalProperties: { type: 'string', maxLength: 5 } },
          open: { type: 'object' },
          either: { oneOf: [{ type: 'string' }, { type: 'integer' }] },
          part: { oneOf: [{ $ref: '#/components/schemas/Word' }, { $ref: '#/components/schemas/Picture' }] },
          hint: { oneOf: [{ $ref: '#/components/schemas/Word' }, { type: 'object' }] },
          level: { anyOf: [{ type: 'string', maxLength: 5 }, { $ref: '#/components/schemas/Level' }] },
          whole: { allOf: [{ $ref: '#/components/schemas/Level' }], not: { $ref: '#/components/schemas/Zero' } },
          tree: { $ref: '#/components/schemas/Tree' },
        },
      },
      Word: {
        type: 'object',
        required: ['kind'],
        properties: { kind: { type: 'string', enum: ['word'] }, title: { type: 'string', maxLength: 9 } },
      },
      Picture: {
        type: 'object',
        additionalProperties: false,
        required: ['kind'],
        properties: { kind: { type: 'string', enum: ['picture'] }, url: { type: 'string', maxLength: 9 } },
      },
      Level: { type: 'integer', minimum: 0, maximum: 9 },
      Zero: { type: 'integer', maximum: 0 },
      Tree: { type: 'object', properties: { children: { type: 'array', maxItems: 4, items: { $ref: '#/components/schemas/Tree' } } } },
      Reply: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'count'],
        properties: {
          id: { type: 'string', maxLength: 10, pattern: '^[a-z]' },
          count: { type: 'integer', minimum: 1, maximum: 100 },
          state: { type: 'string', enum: ['new', 'old'] },
          code: { type: 'string', enum: ['x'], 'x-extensible': true },
          marks: { type: 'object', additionalProperties: { type: 'integer' } },
        },
      },
    },
  },
})
