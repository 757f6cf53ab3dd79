import { Command, InvalidArgumentError, Option } from 'commander'
import { createClient, type Client } from '../../sdk/src/index.ts'

/** Options of every command. */
export interface Common {
  readonly json?: boolean
}

/** Options of a command that asks a daemon. */
export interface Asking extends Common {
  readonly url: string
  readonly key: string
}

/** A command, its help with examples that can be run as they stand. */
export function command(usage: string, does: string, examples: readonly string[]): Command {
  const [name, ...args] = usage.split(' ')
  const made = new Command(name).description(does).option('--json', 'print JSON for programs')
  for (const argument of args) made.argument(argument)
  return made.addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`)
}

/** A command that asks a daemon. */
export const asking = (usage: string, does: string, examples: readonly string[]): Command =>
  command(usage, does, examples)
    .addOption(new Option('--url <url>', 'where the daemon is').env('ORCHD_URL').default('http://127.0.0.1:8080').argParser(urlOf))
    .addOption(new Option('--key <key>', 'an API key').env('ORCHD_KEY').default('valid', 'the development key'))

/** A client of the daemon that the options name. */
export const clientOf = ({ url, key }: Asking, patience_ms?: number): Client =>
  createClient({ baseUrl: url, key, ...(patience_ms === undefined ? {} : { patience_ms }) })

function urlOf(text: string): string {
  const parsed = URL.parse(text)
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '')
    throw new InvalidArgumentError('It has to be a URL such as http://127.0.0.1:8080.')
  return text.replace(/\/+$/, '')
}

/** Reads a whole number between two. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`)
    return value
  }

/** An option in seconds that is read as milliseconds; fractions may be. */
export function seconds(flags: string, does: string, default_ms?: number): Option {
  const option = new Option(`${flags} <seconds>`, does).argParser(secondsAsMs)
  return default_ms === undefined ? option : option.default(default_ms, String(default_ms / 1000))
}

function secondsAsMs(text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value > 1e9) throw new InvalidArgumentError('It has to be a number of seconds.')
  return Math.round(value * 1000)
}

/** Reads a day or a point in time, as the contract has it. */
export function pointInTime(text: string): string {
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw new InvalidArgumentError('It has to be a day or a point in time such as 2026-01-31 or 2026-01-31T12:00:00Z.')
  return new Date(time).toISOString()
}

/** Reads a list divided by commas. */
export const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
