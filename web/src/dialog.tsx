import { signal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Out } from './out.tsx'

/** A question before something is done. */
export interface Question {
  readonly title: string
  /** What will follow, in the daemon's figures. */
  readonly lines: readonly string[]
  /** The word on the button that does it; without one there is only something to be read. */
  readonly go?: string
  /** A field to fill in. */
  readonly field?: { readonly label: string; readonly value: string; readonly after?: string; readonly wide?: boolean }
  /** Does it. @param value of the field @throws what is shown as the reason why it was not done */
  readonly run?: (value: string) => Promise<unknown>
}

const question = signal<Question | undefined>(undefined)

/** Asks before something is done. Only one question is open at a time. */
export function ask(asked: Question): void {
  question.value ??= asked
}

/** Says why something cannot be done. */
export const tell = (title: string, error: unknown): void => ask({ title, lines: [reasonOf(error)] })

/** What went wrong, for people. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Where questions are shown. The safe answer has the focus, so that no key that opened it confirms. */
export function Dialog(): VNode | null {
  const asked = question.value
  return asked === undefined ? null : <Asked key={asked.title} asked={asked} />
}

function Asked({ asked: { title, lines, go, field, run } }: { readonly asked: Question }): VNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const safe = useRef<HTMLButtonElement>(null)
  const [value, setValue] = useState(field?.value ?? '')
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState('')
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    safe.current?.focus()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  const close = (): void => {
    question.value = undefined
  }
  const confirm = async (): Promise<void> => {
    setBusy(true)
    try {
      await run?.(value)
      close()
    } catch (error) {
      setFailed(reasonOf(error))
      setBusy(false)
    }
  }
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={close}>
      <h2 id="dialog-title">
        <Out text={title} />
      </h2>
      <ul>
        {lines.map((line) => (
          <li key={line}>
            <Out text={line} />
          </li>
        ))}
      </ul>
      {field !== undefined && (
        <label>
          {field.label}{' '}
          <input class={field.wide === true ? 'wide' : ''} value={value} onInput={({ currentTarget }) => setValue(currentTarget.value)} />{' '}
          {field.after}
        </label>
      )}
      {failed !== '' && (
        <p class="bad" role="alert">
          <Out text={failed} />
        </p>
      )}
      <div class="answers">
        <button ref={safe} type="button" onClick={close}>
          {go === undefined ? 'Close' : 'Leave it'}
        </button>
        {go !== undefined && (
          <button class="danger" type="button" disabled={busy} onClick={() => void confirm()}>
            {go}
          </button>
        )}
      </div>
    </dialog>
  )
}
