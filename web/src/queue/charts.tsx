import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { live } from '../live/store.ts'
import { highest, summed } from '../live/samples.ts'
import { dark } from '../theme.ts'
import { seconds, short } from '../text.ts'
import { clockOf } from './attention.ts'

type Values = readonly (number | null)[]

/** The last hour in four small charts. */
export function Charts(): VNode {
  const samples = live.samples.value
  const per_s = 1000 / samples.every_ms
  const waiting = summed(samples, (series) => series.waiting)
  const tokens = summed(samples, (series) => series.tokens_out).map((n) => n * per_s)
  const first = highest(samples, (series) => series.first_token_median_ms)
  const bad = perMinute(
    summed(samples, (series) => series.refused.map((n, i) => n + (series.late[i] ?? 0))),
    60_000 / samples.every_ms,
  )
  return (
    <section aria-labelledby="hour">
      <h2 id="hour">Last hour</h2>
      <div class="charts">
        <Chart title="Waiting" values={waiting} said={short} />
        <Chart title="First token, median" values={first} said={seconds} />
        <Chart title="Tokens per second out" values={tokens} said={short} />
        <Chart title="Refused or late per minute" values={bad} said={short} />
      </div>
    </section>
  )
}

/** Each value with those of the minute before it. */
function perMinute(values: readonly number[], n: number): number[] {
  let sum = 0
  return values.map((value, i) => (sum += value - (values[i - n] ?? 0)))
}

interface ChartProps {
  readonly title: string
  readonly values: Values
  readonly said: (value: number) => string
}

const height = 42

function Chart({ title, values, said }: ChartProps): VNode {
  const { at, every_ms } = live.samples.value
  const known = values.filter((value) => value !== null)
  const [last, most] = [known.at(-1), Math.max(0, ...known)]
  const now = last === undefined ? '—' : said(last)
  const box = usePlot(values)
  return (
    <figure>
      <figcaption>
        <span>{title}</span>
        <b>{now}</b>
      </figcaption>
      <div ref={box} class="plot" role="img" aria-label={`${title}, last hour: now ${now}, highest ${said(most)}`} />
      <div class="ax">
        <span>{at === 0 ? '' : clockOf(at - (values.length - 1) * every_ms)}</span>
        <span>highest {said(most)}</span>
        <span>now</span>
      </div>
    </figure>
  )
}

/** A line in a box; the library is loaded when the first one is drawn. */
function usePlot(values: Values) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const newest = useRef(values)
  newest.current = values
  const isDark = dark.value
  useEffect(() => {
    let gone = false
    void import('uplot').then(({ default: Plot }) => {
      const at = box.current
      if (gone || at === null) return
      const style = getComputedStyle(document.documentElement)
      plot.current = new Plot(
        {
          ...{
            width: at.clientWidth,
            height,
            padding: [2, 0, 1, 0],
            legend: { show: false },
            cursor: { show: false },
            axes: [{ show: false }, { show: false }],
          },
          scales: { x: { time: false }, y: { range: (_, _least, most) => [0, Math.max(1, most)] } },
          series: [
            {},
            { stroke: style.getPropertyValue(isDark ? '--run-dark' : '--run-light'), width: 1.4, spanGaps: true, points: { show: false } },
          ],
        },
        dataOf(newest.current),
        at,
      )
    })
    const resize = (): void => plot.current?.setSize({ width: box.current?.clientWidth ?? 180, height })
    addEventListener('resize', resize)
    return () => {
      gone = true
      removeEventListener('resize', resize)
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [isDark])
  useEffect(() => plot.current?.setData(dataOf(values)), [values])
  return box
}

const dataOf = (values: Values): uPlot.AlignedData => [values.map((_, i) => i), [...values]]
