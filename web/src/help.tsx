import { signal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { pages } from './route.ts'

/** Whether the list of keys is open. */
export const helpOpen = signal(false)

const keys: readonly (readonly [string, string])[] = [
  ['/', 'filter'],
  ['j k', 'next and previous task'],
  ['Enter', 'open the task'],
  ['c', 'cancel it, after a question'],
  ['Esc', 'close the panel'],
  ...Object.entries(pages).map(([letter, title]) => [`g ${letter}`, title] as const),
  ['?', 'this list'],
]

/** All the keys. */
export function Help(): VNode | null {
  const dialog = useRef<HTMLDialogElement>(null)
  const open = helpOpen.value
  useEffect(() => {
    if (open) dialog.current?.showModal()
  }, [open])
  if (!open) return null
  const close = (): void => {
    helpOpen.value = false
  }
  return (
    <dialog ref={dialog} aria-labelledby="help-title" onClose={close}>
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div class="answers">
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </dialog>
  )
}
