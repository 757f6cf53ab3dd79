import type { Config } from './check.ts'
import type { Loaded } from './load.ts'

/** What a configuration that is fine amounts to, as `--check` prints it. */
export function summary({ config: { listen, data_dir, models_dir, auth, pools, models }, left_out }: Loaded): string {
  const names = auth.keys.map(({ name }) => name)
  return [
    'The configuration is fine.',
    `  listen  ${listen}`,
    `  data    ${data_dir}`,
    `  models  ${models_dir}`,
    `  keys    ${names.length === 0 ? 'none: the development key works, from this machine only' : names.join(', ')}`,
    ...pools.map(
      ({ id, engine, driver, model, ctx, replicas }) =>
        `  pool    ${id}: ${engine}, ${driver}, ${model}, ${ctx === undefined ? '' : `${ctx} tokens, `}${slotsText(replicas)}`,
    ),
    ...left_out.map((reason) => `  left out: ${reason}`),
    ...models.map(({ name, aliases, pools: first, fallback }) => {
      const also = aliases.length === 0 ? '' : `; also ${aliases.join(', ')}`
      return `  model   ${name}: ${first.join(', ')}${fallback.length === 0 ? '' : `, else ${fallback.join(', ')}`}${also}`
    }),
  ].join('\n')
}

function slotsText(replicas: Config['pools'][number]['replicas']): string {
  const open = replicas.some(({ slots }) => slots === undefined)
  return open ? 'slots as the engine has them' : `${replicas.reduce((sum, { slots = 0 }) => sum + slots, 0)} slots`
}
