import { helpOpen } from './help.tsx'
import { go, hrefOfPage, openTask, pages, type PageName } from './route.ts'

/** Rows that can be walked through, in the order of the page. */
const links = (): HTMLAnchorElement[] => [...document.querySelectorAll<HTMLAnchorElement>('tr[data-task] td.t a')]

let going = false

/** Listens to the keys of the page, as long as it is open. */
export function listenToKeys(): void {
  addEventListener('keydown', (event) => {
    const { target, key } = event
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null) return
    if (target instanceof HTMLElement && target.matches('input, textarea, select')) {
      if (key === 'Escape') target.blur()
      return
    }
    if (going) {
      going = false
      if (key in pages) location.hash = hrefOfPage(key as PageName)
      return
    }
    if (press(key)) event.preventDefault()
  })
}

/** Does what a key stands for; whether it stands for anything. */
function press(key: string): boolean {
  const all = links()
  const at = all.findIndex((link) => link === document.activeElement)
  switch (key) {
    case '/':
      document.querySelector<HTMLInputElement>('#filter')?.focus()
      return true
    case 'j':
      all[Math.min(at + 1, all.length - 1)]?.focus()
      return true
    case 'k':
      all[Math.max(at - 1, 0)]?.focus()
      return true
    case 'c': {
      const row = all[at]?.closest('tr')
      const cancel = row?.querySelector<HTMLElement>('.x') ?? document.querySelector<HTMLElement>('#task [data-cancel]')
      cancel?.click()
      return cancel !== null
    }
    case 'Escape':
      if (openTask.peek() !== undefined) go({ task: undefined })
      return true
    case 'g':
      going = true
      return true
    case '?':
      helpOpen.value = true
      return true
    default:
      return false
  }
}
