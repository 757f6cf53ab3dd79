import { firstFrom } from '../ascending.ts'

/** Something that has a constant and then an exponential part. */
export interface Part {
  /** When the exponential part begins, ms. */
  readonly from: number
  /** Its mean, ms; above 0. */
  readonly random: number
}

/** What exponential parts come to together at a moment. */
export interface Fade {
  /** The chance of each that it is not over, added up. */
  left: number
  /** How fast that falls, per ms. */
  slope: number
  /** The same chances, each times its mean, ms. */
  left_ms: number
}

/** Bands of rates for every doubling, and at how many rates of a band its parts are told. */
const per_doubling = 2
const nodes = 12
/** From one of those rates to the next, beside the least of the band. */
const step = (2 ** (1 / per_doubling) - 1) / (nodes - 1)

/** Those rates and their means, beside the least. */
const rates = Float64Array.from({ length: nodes }, (_, m) => 1 + m * step)
const means = rates.map((rate) => 1 / rate)

/** After so many times its mean nothing is left of a part: below what a sum of any could tell. */
const over = 50

/** So few are added up one by one: it costs no more. */
const few = 8

/** Of the barycentric formula for nodes that are evenly apart: binomial coefficients in turn with either sign. */
const weights: readonly number[] = (() => {
  const row = [1]
  for (let m = 1; m < nodes; m++) row.push((-(row[m - 1] ?? 0) * (nodes - m)) / m)
  return row
})()

/**
 * Exponential parts with rates that are near each other. At any moment e^(-rate t) is, as a function of the rate, so close to a polynomial through
 * its values at a few rates (J.-P. Berrut, L. Trefethen, Barycentric Lagrange interpolation, 2004) that 1e-11 is never between them. So all that
 * have begun are a few sums, which are carried on from one beginning to the next, and a look costs the same for a thousand as for ten.
 */
class Band {
  private readonly parts: Part[] = []
  private readonly least: number
  private froms = new Float64Array()
  /** As each part begins: what there is of each of the rates. */
  private sums = new Float64Array()

  constructor(least: number) {
    this.least = least
  }

  /** @param part begins after all that were added */
  add(part: Part): void {
    this.parts.push(part)
  }

  sumUp(): void {
    const { parts, least } = this
    this.froms = Float64Array.from(parts, ({ from }) => from)
    if (parts.length <= few) return
    const sums = (this.sums = new Float64Array(parts.length * nodes))
    const shares = new Float64Array(nodes)
    let before = 0
    for (const [index, { from, random }] of parts.entries()) {
      const base = index * nodes
      const gone = index === 0 || least * (from - before) > over
      let fading = gone ? 0 : Math.exp(-least * (from - before))
      const ratio = gone ? 0 : Math.exp(-least * step * (from - before))
      before = from
      sharesAt((1 / (random * least) - 1) / step, shares)
      for (let m = 0; m < nodes; m++) {
        sums[base + m] = (gone ? 0 : (sums[base - nodes + m] ?? 0) * fading) + (shares[m] ?? 0)
        fading *= ratio
      }
    }
  }

  /** Adds what its parts come to at t, ms. */
  addTo(fade: Fade, t: number): void {
    const { froms, sums, least, parts } = this
    const begun = firstFrom(froms, t)
    if (begun === 0) return
    if (parts.length <= few) {
      for (let index = 0; index < begun; index++) addOne(fade, parts[index] ?? never, t)
      return
    }
    const past = t - (froms[begun - 1] ?? 0)
    if (least * past > over) return
    let fading = Math.exp(-least * past)
    const ratio = Math.exp(-least * step * past)
    const base = (begun - 1) * nodes
    let [left, slope, left_ms] = [0, 0, 0]
    for (let m = 0; m < nodes; m++) {
      const part = (sums[base + m] ?? 0) * fading
      left += part
      slope += part * (rates[m] ?? 1)
      left_ms += part * (means[m] ?? 1)
      fading *= ratio
    }
    fade.left += left
    fade.slope += slope * least
    fade.left_ms += left_ms / least
  }
}

/** How much each rate of a band has of a part whose rate is at a place among them. */
function sharesAt(place: number, shares: Float64Array): void {
  if (Number.isInteger(place)) {
    for (let m = 0; m < nodes; m++) shares[m] = place === m ? 1 : 0
    return
  }
  let all = 0
  for (let m = 0; m < nodes; m++) all += shares[m] = (weights[m] ?? 0) / (place - m)
  for (let m = 0; m < nodes; m++) shares[m] = (shares[m] ?? 0) / all
}

const never: Part = { from: Infinity, random: 1 }

function addOne(fade: Fade, { from, random }: Part, t: number): void {
  const left = Math.exp((from - t) / random)
  fade.left += left
  fade.slope += left / random
  fade.left_ms += left * random
}

/** Exponential parts of any rates, by bands of those that are near each other. */
export class Fading {
  private readonly bands: readonly Band[]

  /** @param parts in the order in which they begin */
  constructor(parts: Iterable<Part>) {
    const bands = new Map<number, Band>()
    for (const part of parts) {
      const index = Math.floor(-Math.log2(part.random) * per_doubling)
      let band = bands.get(index)
      if (band === undefined) bands.set(index, (band = new Band(2 ** (index / per_doubling))))
      band.add(part)
    }
    this.bands = [...bands.values()]
    for (const band of this.bands) band.sumUp()
  }

  /** What those that began before t come to then, ms. O(bands · log n) */
  at(t: number): Fade {
    const fade = { left: 0, slope: 0, left_ms: 0 }
    for (const band of this.bands) band.addTo(fade, t)
    return fade
  }
}
