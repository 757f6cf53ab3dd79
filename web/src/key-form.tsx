import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { signIn } from './live/follow.ts'
import { Out } from './out.tsx'
import { key } from './session.ts'

/** Asks for a key, and says why the one before was not enough. */
export function KeyForm({ why }: { readonly why: string }): VNode {
  const [typed, setTyped] = useState('')
  return (
    <main class="one" id="content" tabIndex={-1}>
      <form
        class="signin"
        onSubmit={(event) => {
          event.preventDefault()
          if (typed !== '') signIn(typed)
        }}
      >
        <h2>Which key?</h2>
        <p>This daemon asks for a key. With the role control all tasks are seen, with data only its own. It stays in this tab.</p>
        {key.value !== undefined && (
          <p class="bad" role="alert">
            <Out text={why} />
          </p>
        )}
        <label>
          Key{' '}
          <input
            type="password"
            autocomplete="current-password"
            value={typed}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </label>{' '}
        <button type="submit">Open</button>
      </form>
    </main>
  )
}
