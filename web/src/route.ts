import { computed, signal } from '@preact/signals'

/** The pages, by their letter after `g`. */
export const pages = { q: 'Queue', h: 'History', s: 'Sessions', m: 'Models', t: 'Try' } as const
export type PageName = keyof typeof pages

/** What the hash of the address says: the page, the task whose panel is open, and the filter. */
export interface Route {
  readonly page: PageName
  readonly task: string | undefined
  /** The key whose task it is, where that is another than the reader's. */
  readonly owner: string | undefined
  readonly filter: string
  /** Fields of a page itself, as they stand in the address. */
  readonly more: Readonly<Record<string, string>>
}

/** Reads a hash, `#h?task=t1&filter=late`. Whatever it is, there is a page. */
export function routeOf(hash: string): Route {
  const [page = '', query = ''] = hash.replace(/^#/, '').split('?')
  const { task, owner, filter = '', ...more } = Object.fromEntries(new URLSearchParams(query))
  return { page: page in pages ? (page as PageName) : 'q', task, owner, filter, more }
}

/** The hash of a route. */
export function hashOf({ page, task, owner, filter, more }: Route): string {
  const query = new URLSearchParams({
    ...(task === undefined ? {} : { task }),
    ...(task === undefined || owner === undefined ? {} : { owner }),
    ...(filter === '' ? {} : { filter }),
    ...more,
  }).toString()
  return `#${page}${query === '' ? '' : `?${query}`}`
}

export const route = signal<Route>(routeOf(location.hash))
export const page = computed(() => route.value.page)
export const openTask = computed(() => route.value.task)
export const filter = computed(() => route.value.filter)

addEventListener('hashchange', () => {
  route.value = routeOf(location.hash)
})

/** Goes to a route that differs in some fields; what is typed takes the place of the entry before. */
export function go(change: Partial<Route>, replace = false): void {
  route.value = { ...route.peek(), ...change }
  const hash = hashOf(route.peek())
  if (replace) history.replaceState(null, '', hash)
  else location.hash = hash
}

/** The address of a task's panel on the page that is open. @param owner the key whose it is, where that is another than the reader's */
export const hrefOfTask = (task: string, owner: string | undefined): string => hashOf({ ...route.value, task, owner })
/** The address of a page. */
export const hrefOfPage = (name: PageName): string => hashOf({ page: name, task: undefined, owner: undefined, filter: '', more: {} })
