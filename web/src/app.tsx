import { useComputed } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import { Dialog } from './dialog.tsx'
import { Head } from './head.tsx'
import { Help } from './help.tsx'
import { KeyForm } from './key-form.tsx'
import { link } from './live/follow.ts'
import { live } from './live/store.ts'
import { History } from './pages/history.tsx'
import { Models } from './pages/models.tsx'
import { Sessions } from './pages/sessions.tsx'
import { Try } from './pages/try.tsx'
import { Queue } from './queue/queue.tsx'
import { page } from './route.ts'
import { counted } from './text.ts'

/** The whole page: the head, and below it what the address names, or the question for a key. */
export function App(): VNode {
  const stale = useComputed(() => link.value.state === 'stale')
  useTitle()
  return (
    <div class={stale.value ? 'stale' : ''}>
      <a class="skip" href="#content" onClick={toContent}>
        To the content
      </a>
      <Head />
      {link.value.state === 'refused' ? (
        <KeyForm why={link.value.why} />
      ) : live.viewer.value === undefined ? (
        <main class="one" id="content" tabIndex={-1}>
          <p class="m">Connecting to the daemon.</p>
        </main>
      ) : (
        <Page />
      )}
      <Dialog />
      <Help />
    </div>
  )
}

function Page(): VNode {
  switch (page.value) {
    case 'q':
      return <Queue />
    case 'h':
      return <History />
    case 's':
      return <Sessions />
    case 'm':
      return <Models />
    case 't':
      return <Try />
  }
}

function toContent(event: Event): void {
  event.preventDefault()
  document.querySelector<HTMLElement>('#content')?.focus()
}

/** The title tells how it stands when the page is not in front. */
function useTitle(): void {
  const waiting = live.pools.value.reduce((sum, pool) => sum + pool.waiting.interactive + pool.waiting.batch, 0)
  const title =
    live.viewer.value === undefined
      ? 'orchestratord'
      : `${counted(waiting, 'waiting', 'waiting')}, ${live.running_total.value} running: orchestratord`
  useEffect(() => {
    document.title = title
  }, [title])
}
