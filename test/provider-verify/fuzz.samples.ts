/** Things to be wrong about, and pools to choose from. */

export const models = [
  'mock:v1',
  'mock:v1',
  'mock:slow',
  'mock:slow',
  'mock:lru',
  'mock:lru',
  'mock:lru',
  'mock:lru',
  'mock:flaky',
  'mock:torn',
  'mock:hang',
  'mock:deaf',
  'mock:dying',
  'mock:cold',
  'mock:dead',
  'mock:none',
]

export const placements = [
  { mode: 'auto' },
  { mode: 'pin', pin_pool_id: 'spare' },
  { mode: 'pin', pin_pool_id: 'lru' },
  { mode: 'prefer', prefer_pools: ['spare', 'slow'] },
  { mode: 'prefer', prefer_pools: ['spare'], allow_fallback: false },
  { mode: 'auto', avoid_pools: ['fast'], require_device_mask: [0] },
  { mode: 'auto', require_device_mask: [1] },
]

/** What a request may say that it takes, and whether a new task then answers with its stream. */
export const accepts = [
  { value: 'text/event-stream', stream: true },
  { value: 'text/event-stream', stream: true },
  { value: 'application/json;q=0.4, Text/Event-Stream;q=0.5', stream: true },
  { value: 'text/event-stream, */*', stream: true },
  { value: 'text/event-stream;q=0', stream: false },
  { value: 'application/json, text/event-stream', stream: false },
  { value: 'text/*', stream: false },
  { value: '*/*', stream: false },
  { value: ',;q=,', stream: false },
] as const

/** Conversations that any chat template takes. */
export const talks = [
  [{ role: 'user', content: 'Hello' }],
  [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Hello' },
        { type: 'text', text: 'there' },
      ],
    },
  ],
]

export const texts = [
  '',
  ' ',
  '{',
  '{"task_id":',
  'null',
  '0',
  'true',
  '""',
  '"x"',
  '[]',
  '{}',
  '{"a":1}{',
  '\u0000',
  '{"a":01}',
  "{'a':1}",
  '['.repeat(4000),
  `${'['.repeat(3000)}${']'.repeat(3000)}`,
  `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`,
]
export const types = [
  '',
  'text/plain',
  'application/xml',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=latin1',
  'application/jsonx',
  'json',
  'application/json, text/plain',
]
export const segments = [
  '%',
  '%zz',
  '%ff',
  '%c3%28',
  '%e0%80',
  'a%2Fb',
  '%00',
  '.',
  '..',
  '%2e%2e',
  'a%20b',
  '%25',
  '{id}',
  '-',
  'a'.repeat(129),
  '%F0%9F%A6%A2',
  'a;b',
  'a,b',
]
export const resumes = ['', 'x', '1', '-1', '00-12345678', '1-ABCDEF01', '1-1234567', 'END', '9999999999999999-00000000', '0-0', 'end,end']
export const routes = [
  '/v1',
  '/v2/tasks',
  '/v1/replicasets',
  '/v1/tasks/a/b/c',
  '/v1/tasks/a/streams',
  '//v1/tasks',
  '/V1/tasks',
  '/v1/pools/mock',
  '/v1/tasks/a//stream',
  '/%76%31/tasks',
]
export const methods = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND', 'TRACE']
export const strangeNames = ['surprise', '__proto__', 'constructor', 'LIMIT', 'key', '']
