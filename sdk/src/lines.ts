/** The lines of a text as it comes, empty ones left out; leaving the loop closes the connection. @throws what the platform throws where it breaks */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  // Not every browser iterates a stream by itself.
  const reader = body.getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      const lines = (rest + (done ? decoder.decode() : decoder.decode(value, { stream: true }))).split('\n')
      rest = done ? '' : (lines.pop() ?? '')
      for (const line of lines) if (line !== '') yield line
      if (done) return
    }
  } finally {
    // A broken connection has nothing to close.
    await reader.cancel().catch(() => undefined)
  }
}
