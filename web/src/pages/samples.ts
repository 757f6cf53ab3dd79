import type { TaskRequest } from '../live/types.ts'

/** The same request in a language. */
export interface Sample {
  readonly title: string
  readonly code: string
}

const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** A request as curl, Python and TypeScript; the key is left to whoever runs it. @param origin of the daemon */
export function samplesFor(request: TaskRequest, origin: string): Sample[] {
  const body = JSON.stringify(request, null, 2)
  // What JSON writes is a literal in both languages: these requests have neither null nor booleans.
  return [
    {
      title: 'curl',
      code: [
        `curl -N ${origin}/v1/tasks \\`,
        `  -H 'X-API-Key: KEY' -H 'Content-Type: application/json' -H 'Accept: text/event-stream' \\`,
        `  -d ${shellQuoted(JSON.stringify(request))}`,
      ].join('\n'),
    },
    {
      title: 'Python',
      code: [
        'from openai import OpenAI',
        '',
        `client = OpenAI(base_url="${origin}/v1", api_key="KEY")`,
        'answer = client.chat.completions.create(',
        ...pythonArguments(request).map((line) => `    ${line},`),
        ')',
        'for chunk in answer:',
        '    print(chunk.choices[0].delta.content or "", end="", flush=True)',
      ].join('\n'),
    },
    {
      title: 'TypeScript',
      code: [
        "import { createClient } from '@orchestratord/client'",
        '',
        `const client = createClient({ baseUrl: '${origin}', key: 'KEY' })`,
        `for await (const event of client.tasks.run(${body}))`,
        "  if (event.event === 'token') process.stdout.write(event.data.t)",
      ].join('\n'),
    },
  ]
}

function pythonArguments({ model_ref = '', messages, prompt = '', max_tokens }: TaskRequest): string[] {
  const said = messages ?? [{ role: 'user', content: prompt }]
  const limit = max_tokens === undefined ? [] : [`max_tokens=${max_tokens}`]
  return [`model=${JSON.stringify(model_ref)}`, `messages=${JSON.stringify(said)}`, ...limit, 'stream=True']
}
