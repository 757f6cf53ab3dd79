import type { ReadonlySignal } from '@preact/signals'
import { useComputed } from '@preact/signals'
import type { VNode } from 'preact'
import { now } from './live/clock.ts'
import { percent, shown, span } from './text.ts'

/** Text from outside: on one line, its direction its own, with signs for what cannot be seen. */
export const Out = ({ text }: { readonly text: string }): VNode => <bdi>{shown(text)}</bdi>

/** Time until a moment, counted down each second without a render. @param at ms since 1970 */
export function Until({ at }: { readonly at: number }): VNode {
  return <>{useComputed(() => span(at - now.value))}</>
}

/** Time since a moment. @param at ms since 1970 */
export function Since({ at }: { readonly at: number }): VNode {
  return <>{useComputed(() => span(now.value - at))}</>
}

/** A sign that goes with a word; the word says it all. */
export const Sign = ({ is, kind = '' }: { readonly is: string; readonly kind?: string }): VNode => (
  <span class={kind} aria-hidden="true">
    {is}
  </span>
)

/** A bar of a share. @param kind its colour and hatching: '' decode, 'p' prefill, 'l' loading, 'v' use, 'bad' */
export function Bar({
  share,
  kind = '',
  label,
}: {
  readonly share: ReadonlySignal<number> | number
  readonly kind?: string
  readonly label?: string
}): VNode {
  const value = typeof share === 'number' ? share : share.value
  const transform = `scaleX(${Math.max(0, Math.min(1, value))})`
  return (
    <span class={`bar ${kind}`} role="img" aria-label={label ?? percent(value)}>
      <i style={{ transform }} />
    </span>
  )
}
