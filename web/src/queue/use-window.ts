import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { RefObject } from 'preact'
import { Passing, rest_ms } from './passing.ts'

/** Which rows of a list are seen, and those just beyond. */
export interface Window {
  readonly from: number
  readonly to: number
  /** Of one row, pixels. */
  readonly height: number
  /** It is scrolled past: nobody reads it. */
  readonly passing: boolean
  /** The row above the list's first one. */
  readonly top: RefObject<HTMLTableRowElement | null>
}

/** Rows beyond what is seen, above and below. */
const beyond = 10
const first_height = 25

/** Which rows of a list are to be in the page; all rows have one height. @param kind the class of its rows */
export function useWindow(total: number, kind: 'r' | 'w'): Window {
  const top = useRef<HTMLTableRowElement>(null)
  const [shown, setShown] = useState({ from: 0, to: Math.min(total, 40), height: first_height, passing: false })
  const passes = useRef(new Passing()).current
  useLayoutEffect(() => {
    let rest: ReturnType<typeof setTimeout> | undefined
    const look = (): void => {
      const at = top.current
      if (at === null) return
      const row = at.parentElement?.querySelector(`tr.${kind}`)
      const height = row instanceof HTMLElement && row.offsetHeight > 0 ? row.offsetHeight : first_height
      const above = -at.getBoundingClientRect().top
      const from = Math.max(0, Math.min(total, Math.floor(above / height) - beyond))
      const to = Math.max(from, Math.min(total, Math.ceil((above + innerHeight) / height) + beyond))
      const passing = passes.moved(from, innerHeight / height, performance.now())
      clearTimeout(rest)
      if (passing) rest = setTimeout(look, rest_ms)
      setShown((was) =>
        was.from === from && was.to === to && was.height === height && was.passing === passing ? was : { from, to, height, passing },
      )
    }
    look()
    addEventListener('scroll', look, { passive: true })
    addEventListener('resize', look)
    return () => {
      clearTimeout(rest)
      removeEventListener('scroll', look)
      removeEventListener('resize', look)
    }
  }, [total, kind, passes])
  return { ...shown, top }
}
