import { computed, signal } from '@preact/signals'

const stored = 'orchestratord.theme'
const themes = ['auto', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const asStored = localStorage.getItem(stored)
/** What the reader has chosen. */
export const theme = signal<Theme>(themes.find((one) => one === asStored) ?? 'auto')
const system = matchMedia('(prefers-color-scheme: dark)')
const systemDark = signal(system.matches)
system.addEventListener('change', () => {
  systemDark.value = system.matches
})

/** Whether the page is dark now. */
export const dark = computed(() => (theme.value === 'auto' ? systemDark.value : theme.value === 'dark'))

const apply = (): void => {
  document.documentElement.dataset['theme'] = theme.peek()
}
apply()

/** The next of by the system, light and dark. */
export function nextTheme(): void {
  theme.value = themes[(themes.indexOf(theme.peek()) + 1) % themes.length] ?? 'auto'
  localStorage.setItem(stored, theme.peek())
  apply()
}
