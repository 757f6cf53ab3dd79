import { setTimeout as pause } from 'node:timers/promises'
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from 'playwright-core'
import { freshPage } from '../test/harness/fresh.ts'
import { load } from './load.ts'
import { atMost, median, quantile, rounded, type Section } from './section.ts'
import { startOptions, startServer, type BenchServer } from './server.ts'
import { bodyOf } from './watched-task.ts'

const running = 500
const waiting = 10_000
const still_ms = 10_000
const short_ms = 30_000
const long_ms = 120_000
const views_in_all = 9

/** What a page is asked to keep: the time from each frame to the next, and tasks of its main thread that took more than 50 ms. */
const watch = `
  globalThis.frames_ = []
  globalThis.longest = []
  let last = performance.now()
  const next = (now) => { frames_.push(now - last); last = now; requestAnimationFrame(next) }
  requestAnimationFrame(next)
  new PerformanceObserver((list) => longest.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' })
`

/** A stretch of time in a page. */
interface Measured {
  readonly frame_p50_ms: number
  readonly frame_p95_ms: number
  readonly frame_p99_ms: number
  readonly longest_task_ms: number
  readonly tasks_over_100_ms: number
  readonly heap_mb: number
  /** Of a core, of the main thread. */
  readonly script_share: number
  readonly style_share: number
  readonly layout_share: number
  readonly all_share: number
}

type Spent = Readonly<Record<string, number>>

/** Seconds that the main thread has spent so far, by what for. */
async function spentOf(cdp: CDPSession): Promise<Spent> {
  const { metrics } = await cdp.send('Performance.getMetrics')
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
}

/** What the page holds, MB. One collection may only end a marking that was under way, and keeps what has died since that began; the second takes it. */
async function heapOf(cdp: CDPSession): Promise<number> {
  for (let i = 0; i < 2; i++) await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  return usedSize / 1e6
}

/** Looks at a page for a while. @param meanwhile what is done with it; it is looked at until both are over */
async function measure(
  page: Page,
  cdp: CDPSession,
  ms: number,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<Measured> {
  await page.evaluate('frames_.length = 0; longest.length = 0')
  const [before, began] = [await spentOf(cdp), performance.now()]
  await Promise.all([pause(ms), meanwhile()])
  const [after, seconds] = [await spentOf(cdp), (performance.now() - began) / 1000]
  const share = (name: string): number => ((after[name] ?? 0) - (before[name] ?? 0)) / seconds
  const { frames, tasks } = await page.evaluate<{ frames: number[]; tasks: number[] }>('({ frames: frames_, tasks: longest })')
  return {
    frame_p50_ms: quantile(frames, 0.5),
    frame_p95_ms: quantile(frames, 0.95),
    frame_p99_ms: quantile(frames, 0.99),
    longest_task_ms: Math.max(0, ...tasks),
    tasks_over_100_ms: tasks.filter((task) => task > 100).length,
    heap_mb: await heapOf(cdp),
    ...{ script_share: share('ScriptDuration'), style_share: share('RecalcStyleDuration') },
    ...{ layout_share: share('LayoutDuration'), all_share: share('TaskDuration') },
  }
}

/** What a page is asked to keep: when the first row of the queue had been painted, ms from the beginning of the navigation. */
const watchFirst = `
  globalThis.shown = new Promise((resolve) => {
    const look = () => requestAnimationFrame(document.querySelector('tr.w') === null ? look : () => setTimeout(() => resolve(performance.now())))
    look()
  })
`

/** Times until a page that is opened anew, with nothing kept of it, shows the queue, ms. */
async function firstViews(browser: Browser, address: string): Promise<number[]> {
  const views: number[] = []
  for (let i = 0; i < views_in_all; i++) {
    const context = await pageContext(browser)
    await context.addInitScript(watchFirst)
    const page = await context.newPage()
    await page.goto(address)
    views.push(await page.evaluate<number>('shown'))
    await context.close()
  }
  return views
}

async function pageContext(browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  await context.addInitScript("sessionStorage.setItem('orchestratord.key', 'k0')")
  return context
}

async function opened(browser: Browser, address: string): Promise<{ readonly page: Page; readonly cdp: CDPSession }> {
  const context = await pageContext(browser)
  const page = await context.newPage()
  await page.goto(address)
  await page.evaluate(watch)
  const cdp = await context.newCDPSession(page)
  await cdp.send('Performance.enable')
  return { page, cdp }
}

/** Opens a lane and scrolls through it, a screen at a time. @returns places of its last row and of the last there is */
async function scroll(page: Page): Promise<readonly [number, number]> {
  await page
    .getByRole('button', { name: /^Show [\d,]+ more$/ })
    .first()
    .click()
  const number = (text: string | undefined): number => Number((text ?? '').replaceAll(',', ''))
  for (let top = 0; ; top += 800) {
    await page.evaluate(`scrollTo(0, ${top})`)
    await page.evaluate('new Promise(requestAnimationFrame)')
    const more = await page.evaluate<number>("document.querySelector('tr.more').getBoundingClientRect().top - innerHeight")
    if (more < 0) break
  }
  const last = page.locator('tbody').first().locator('tr.w td.p').last()
  const rest = await page.locator('tr.more').first().innerText()
  return [number(await last.innerText()), number(/to ([\d,]+)/.exec(rest)?.[1])]
}

async function fill(daemon: BenchServer): Promise<void> {
  const { statuses } = await load(daemon.port, '/v1/tasks', 'X-API-Key: k1\r\n', () => bodyOf(1), waiting + running, 32)
  if (statuses.get(202) !== waiting + running) throw new Error(JSON.stringify([...statuses]))
}

/** What the page does in front of a daemon that is full, beside a page that shows nothing. */
export async function benchPage(all: boolean): Promise<Section> {
  await freshPage()
  const daemon = await startServer('watched', { args: ['1'], execArgv: startOptions() })
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium-headless-shell', args: ['--no-sandbox'] })
  const ms = all ? long_ms : short_ms
  try {
    await fill(daemon)
    const empty = await opened(browser, 'data:text/html,<title>nothing</title>')
    const nothing = await measure(empty.page, empty.cdp, still_ms)
    await empty.page.context().close()
    const address = `http://127.0.0.1:${daemon.port}/`
    const views = await firstViews(browser, address)
    const { page, cdp } = await opened(browser, address)
    await page.locator('tr.w').first().waitFor()
    const first = await measure(page, cdp, ms / 2)
    const second = await measure(page, cdp, ms / 2)
    let places: readonly [number, number] = [0, 1]
    const scrolled = await measure(page, cdp, 0, async () => void (places = await scroll(page)))
    const row = (what: string, one: Measured): Record<string, string | number> => ({
      what,
      ...Object.fromEntries(Object.entries(one).map(([name, value]) => [name, rounded(value as number)])),
    })
    const shown = [first, second]
    return {
      title: `Page: ${running} tasks run at 60 tokens a second each and ${waiting} wait; a page that shows nothing for ${still_ms / 1000} s, the queue in two halves of ${ms / 2000} s, and the queue while a lane is scrolled to its end`,
      rows: [row('nothing', nothing), row('queue, first half', first), row('queue, second half', second), row('scrolled', scrolled)],
      goals: [
        atMost(`first view of ${views.length}, median, ms`, median(views), 300),
        atMost('median frame, ms', Math.max(...shown.map(({ frame_p50_ms }) => frame_p50_ms)), 17),
        atMost('frame p95, ms', Math.max(...shown.map(({ frame_p95_ms }) => frame_p95_ms)), 34),
        atMost('tasks of the main thread over 100 ms', first.tasks_over_100_ms + second.tasks_over_100_ms, 0),
        atMost('heap, MB', Math.max(first.heap_mb, second.heap_mb), 40),
        atMost('heap, second half to first', second.heap_mb / first.heap_mb, 1.1),
        atMost('places that were not reached by scrolling', places[1] - places[0], 0),
      ],
    }
  } finally {
    await browser.close()
    await daemon.stop()
  }
}
