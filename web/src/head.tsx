import { useComputed } from '@preact/signals'
import type { VNode } from 'preact'
import { daemonTime, now } from './live/clock.ts'
import { link } from './live/follow.ts'
import { live } from './live/store.ts'
import { Out, Sign, Since } from './out.tsx'
import { filter, go, hrefOfPage, page, pages, type PageName } from './route.ts'
import { useKey } from './session.ts'
import { span } from './text.ts'
import { nextTheme, theme } from './theme.ts'

const names = Object.entries(pages) as [PageName, string][]

/** The head of every page: where one is, the filter, whether what is shown is true now, and who asks. */
export function Head(): VNode {
  const daemon = live.daemon.value
  return (
    <header>
      <h1>orchestratord</h1>
      {daemon !== undefined && (
        <span class="m k">
          {location.hostname} · <Out text={daemon.version} /> · up <Since at={Date.parse(daemon.started_at)} />
        </span>
      )}
      <nav aria-label="Pages">
        {names.map(([name, title]) => (
          <a key={name} href={hrefOfPage(name)} {...(page.value === name ? { 'aria-current': 'page' as const } : {})}>
            {title}
          </a>
        ))}
      </nav>
      <label class="f">
        <span class="sr">Filter by task, key, session, pool or word</span>
        <input
          id="filter"
          placeholder="Filter: task, key, session, pool, late"
          autocomplete="off"
          spellcheck={false}
          value={filter.value}
          onInput={({ currentTarget }) => go({ filter: currentTarget.value }, true)}
        />
        <kbd>/</kbd>
      </label>
      <Liveness />
      <Who />
      <button type="button" class="th" onClick={nextTheme}>
        Theme: {theme.value}
      </button>
    </header>
  )
}

function Connecting({ why }: { readonly why?: string }): VNode {
  if (why === undefined) return <span role="status">connecting</span>
  return (
    <b class="bad" role="status">
      <Sign is="✕" /> <Out text={why} />
    </b>
  )
}

function Liveness(): VNode {
  const said = useComputed(() => {
    const { value } = link
    // It moves once a second; how far it is from this machine's clock does not matter to a span.
    const passed = now.value - daemonTime() + Date.now()
    return value.state === 'stale' ? `not live for ${span(passed - value.since)}, trying again` : ''
  })
  switch (link.value.state) {
    case 'live':
      return (
        <span role="status">
          <Sign is="●" kind="ok" /> live
        </span>
      )
    case 'stale':
      return (
        <b class="bad" role="status" aria-live="off">
          <Sign is="✕" /> {said}
        </b>
      )
    case 'refused':
      return (
        <span role="status" class="bad">
          <Sign is="✕" /> no key
        </span>
      )
    case 'connecting':
      return <Connecting {...link.value} />
  }
}

function Who(): VNode | null {
  const viewer = live.viewer.value
  if (viewer === undefined) return null
  const development = viewer.key_name === 'development' || viewer.key_name === 'local'
  return (
    <span class="m me">
      {development ? (
        'no key is configured'
      ) : (
        <>
          key: <Out text={viewer.key_name} />
        </>
      )}
      , {viewer.role}
      {!development && (
        <>
          {' '}
          <button type="button" class="link" onClick={() => useKey(undefined)}>
            Forget
          </button>
        </>
      )}
    </span>
  )
}
