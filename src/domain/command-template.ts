/** What may stand in braces in the command of a managed server. */
export const placeholders = ['port', 'model_path', 'model', 'devices', 'ctx', 'slots', 'ctx_total', 'replica'] as const

export type Placeholder = (typeof placeholders)[number]

const inBraces = /\{([a-z_]+)\}/g

/** Every word in braces that a command names, known or not, each once. JSON among the arguments names none. */
export function namesIn(command: readonly string[]): string[] {
  return [...new Set(command.flatMap((argument) => Array.from(argument.matchAll(inBraces), ([, name = '']) => name)))]
}

/** Puts values in the place of their names, in one pass: what a value holds is never taken for a name. */
export function filled(command: readonly string[], values: Readonly<Record<Placeholder, string>>): string[] {
  const known: Readonly<Record<string, string | undefined>> = values
  return command.map((argument) => argument.replace(inBraces, (whole, name: string) => known[name] ?? whole))
}
