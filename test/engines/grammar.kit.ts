import { grammarOf } from '../../src/adapters/engines/llamacpp/grammar/format.ts'
import { EngineError } from '../../src/ports/engine.ts'
import type { Schema } from './mock-json.kit.ts'

/** The format that asks for a schema. */
export const formatFor = (schema: unknown) => ({ type: 'json_schema' as const, json_schema: { name: 'x', schema: schema as Schema } })

/** The grammar of a schema, or the refusal. */
export function written(schema: unknown): { readonly grammar: string } | { readonly refusal: string } {
  try {
    return { grammar: grammarOf(formatFor(schema)) ?? '' }
  } catch (error) {
    if (error instanceof EngineError && !error.retriable) return { refusal: error.message }
    throw error
  }
}

const word = /"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|\{\d*,?\d*\}|[()|?*+]|\w+|\s+/gy

/** All that a grammar lets be written, as a regular expression; any value that is nested deeper than `deepest` is null. */
export function regexOf(grammar: string, deepest = 1): RegExp {
  const rules = new Map(
    grammar.split('\n').flatMap((line): [string, string][] => {
      const [, name, says] = /^(\w+) ::= (.*)$/.exec(line) ?? []
      return name === undefined || says === undefined ? [] : [[name, says]]
    }),
  )
  const expand = (says: string, open: readonly string[]): string =>
    Array.from(says.matchAll(word), ([part]) => {
      if (/^\s/.test(part)) return ''
      if (part.startsWith('"')) return `(?:${(JSON.parse(part) as string).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')})`
      // A regular expression knows no more code points than Unicode has.
      if (part.startsWith('[')) return part.replace('\\U00110000-\\U003FFFFF', '')
      if (/^[{|?*+]/.test(part) || part === ')') return part
      if (part === '(') return '(?:'
      const rule = rules.get(part)
      if (rule === undefined) throw new Error(`no rule ${part}`)
      const isAny = rule.endsWith('"null")')
      return isAny && open.filter((name) => name === part).length >= deepest ? 'null' : `(?:${expand(rule, [...open, part])})`
    }).join('')
  return new RegExp(`^${expand('root', [])}$`, 'u')
}
