import { systemClock } from '../../src/adapters/system/clock.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { chromium, type Browser, type Locator, type Page } from 'playwright-core'
import { freshPage } from './fresh.ts'
import { keyDigest, mockPool, mockTask, patient, startDaemon, type TestDaemon } from './daemon.ts'
import { call } from './http.ts'
import { ScriptedEngine } from './scripted-engine.ts'
import { untilAnswer } from './wait.ts'

/** Keys of a page's daemon by their names; each is its name with `-key` behind it. */
const names = ['ops', 'codex-desk', 'claude-desk', 'webapp', 'nightly-evals'] as const
export type KeyName = (typeof names)[number]

/** What a configuration has of them. */
export const pageAuth = {
  keys: names.map((name) => ({ name, key_sha256: keyDigest(`${name}-key`), roles: name === 'ops' ? ['data', 'control'] : ['data'] })),
}

/** How a page is opened. */
export interface Opened {
  /** Whose key it has; none where it is null. */
  readonly as?: KeyName | null
  /** The hash of the address. */
  readonly hash?: string
  readonly width?: number
  readonly height?: number
  readonly dark?: boolean
  /** What is done with the tab before the page comes. */
  readonly prepare?: (page: Page) => Promise<void>
}

/** A browser in front of a daemon. */
export class Tabs {
  readonly url: string
  private readonly browser: Browser
  /** What the pages complained of: messages on their console, errors, requests to anybody else. */
  readonly complaints: string[] = []

  constructor(url: string, browser: Browser) {
    this.url = url
    this.browser = browser
  }

  /** The page as it is now, and a browser to open it in. */
  static async browser(): Promise<Browser> {
    await freshPage()
    return chromium.launch({ executablePath: '/usr/bin/chromium-headless-shell', args: ['--no-sandbox'] })
  }

  /** A tab of its own. */
  async open({ as = 'ops', hash = '', width = 1440, height = 900, dark = false, prepare }: Opened = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light' })
    if (as !== null) await context.addInitScript(`sessionStorage.setItem('orchestratord.key', '${as}-key')`)
    const page = await context.newPage()
    await prepare?.(page)
    page.on('console', (message) => {
      // What an operation refuses is shown by the page itself.
      const refused = message.text().startsWith('Failed to load resource')
      if (!refused && (message.type() === 'error' || message.type() === 'warning')) this.complaints.push(message.text())
    })
    page.on('pageerror', (error) => this.complaints.push(String(error)))
    page.on('request', (request) => {
      if (!request.url().startsWith(this.url) && !/^(data|blob):/.test(request.url())) this.complaints.push(`asked ${request.url()}`)
    })
    await page.goto(`${this.url}/${hash}`)
    if (as !== null) await isLive(page)
    return page
  }

  /** Closes every tab. */
  async closeTabs(): Promise<void> {
    await Promise.all(this.browser.contexts().map((context) => context.close()))
  }

  /** Closes the browser. */
  close(): Promise<void> {
    return this.browser.close()
  }
}

/** The real daemon on engines in the hands of the test, and a browser in front of it. */
export class PageRig extends Tabs {
  readonly daemon: TestDaemon
  private readonly engines: Map<string, ScriptedEngine>

  private constructor(daemon: TestDaemon, browser: Browser, engines: Map<string, ScriptedEngine>) {
    super(daemon.url, browser)
    this.daemon = daemon
    this.engines = engines
  }

  /**
   * @param config the daemon's, without keys
   * @param prepare an engine before it is started, by `pool/replica`
   * @param clock the daemon's; the browser has its own
   */
  static async start(
    config: Record<string, unknown>,
    prepare: (engine: ScriptedEngine, name: string) => void = () => undefined,
    clock: Clock = systemClock,
  ): Promise<PageRig> {
    const browser = await Tabs.browser()
    const engines = new Map<string, ScriptedEngine>()
    const daemon = await startDaemon(
      { auth: pageAuth, ...config },
      {
        clock,
        engines: (pool, replica) => {
          const engine = new ScriptedEngine({ slots: replica.slots ?? 1 })
          const name = `${pool.id}/${replica.id}`
          engines.set(name, engine)
          prepare(engine, name)
          return engine
        },
      },
    )
    return new PageRig(daemon, browser, engines)
  }

  /** The engine of a replica, `pool/replica`. */
  engine(name: string): ScriptedEngine {
    const engine = this.engines.get(name)
    if (engine === undefined) throw new Error(`no engine ${name}`)
    return engine
  }

  /** Every engine. */
  get all(): readonly ScriptedEngine[] {
    return [...this.engines.values()]
  }

  /** Sends a task of a key. @returns its id */
  async task(as: KeyName, fields: Record<string, unknown> = {}): Promise<string> {
    const body = mockTask({ engine: undefined, ...fields })
    const { status, text } = await call(this.daemon.url, '/v1/tasks', { method: 'POST', key: `${as}-key`, body })
    if (status !== 202) throw new Error(`${status}: ${text}`)
    return body.task_id
  }

  /** An operation of the key that may do everything. */
  ask(path: string, method = 'GET', body?: unknown): ReturnType<typeof call> {
    return call(this.daemon.url, path, { key: 'ops-key', method, ...(body === undefined ? {} : { body }) })
  }

  /** Ends all that runs and waits. */
  async empty(): Promise<void> {
    const pools = async () => (await this.ask('/v1/pools')).json['pools'] as readonly { slots_busy: number; queue_depth: number }[]
    await untilAnswer(
      () => {
        for (const engine of this.engines.values()) for (const running of engine.running) running.finish()
        return pools()
      },
      (all) => all.every(({ slots_busy, queue_depth }) => slots_busy + queue_depth === 0),
      'nothing runs and nothing waits',
    )
  }

  /** Lets go of every call, then stops. */
  async stop(): Promise<void> {
    await this.close()
    for (const engine of this.engines.values()) for (const running of engine.running) running.finish()
    await this.daemon.stop()
  }
}

/** A pool of a page's daemon. */
export const pagePool = (
  id: string,
  slots: Readonly<Record<string, number>>,
  fields: Record<string, unknown> = {},
): Record<string, unknown> =>
  mockPool({
    id,
    model: `mock:${id}`,
    timeouts: patient,
    replicas: Object.entries(slots).map(([replica, n]) => ({ id: replica, slots: n })),
    ...fields,
  })

/** Waits until a page says that what it shows is true now. */
export const isLive = (page: Page): Promise<void> => page.locator('header [role=status]', { hasText: /● live$/ }).waitFor()

/** Waits until an element, or each of them, says what it should. */
export async function says(found: Locator, wanted: string | RegExp | readonly string[]): Promise<void> {
  const fits = (texts: readonly string[]): boolean =>
    Array.isArray(wanted)
      ? texts.join('|') === wanted.join('|')
      : texts.some((text) => (typeof wanted === 'string' ? text === wanted : (wanted as RegExp).test(text)))
  const all = async (): Promise<string[]> => (await found.allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim())
  await untilAnswer(all, fits, `${String(wanted)} to be shown`, 60_000)
}
