import type { components } from '../../generated/config.ts'
import { ed25519Key } from '../domain/catalog/trust.ts'
import { groupsOf } from './groups.ts'
import { listensOnLoopback, splitListen } from './listen.ts'
import { commandsOf } from './managed.ts'
import { modelRelations } from './model-relations.ts'
import { modelRefRefusal, type EngineTable } from './model-ref.ts'
import { valueText, type Path, type Problem } from './problem.ts'
import type { Relation, Sound } from './relation.ts'
import { urlsOf } from './remote.ts'

type Config = components['schemas']['Config']

/** All relations of a configuration. */
export const relationsOf = (engines: EngineTable): Relation[] => [
  listenPort,
  loopbackWithoutKeys,
  keysOnce,
  keysSendable,
  poolsOnce,
  poolsOf(engines),
  urlsOf(engines),
  commandsOf(engines),
  groupsOnce,
  groupsOf,
  signers,
  egressPorts,
  hubUrl,
  ...modelRelations,
]

/** A problem for each item of the list whose value under the key stands in an earlier item, too. */
function once<K extends string>(
  list: Path,
  items: readonly Readonly<Record<K, string>>[],
  key: K,
  sound: Sound,
  says = usedTwice,
): Problem[] {
  if (!sound(...list)) return []
  const values = items.map((item, i) => (sound(...list, i, key) ? item[key] : undefined))
  return values.flatMap((value, i) =>
    value === undefined || values.indexOf(value) === i ? [] : [{ path: [...list, i, key], says: says(value) }],
  )
}

const usedTwice = (value: string): string => `${valueText(value)} is used twice`

const listenPort: Relation = ({ listen }, sound) =>
  sound('listen') && splitListen(listen).port > 65535 ? [{ path: ['listen'], says: `${valueText(listen)} has a port above 65535` }] : []

const loopbackWithoutKeys: Relation = ({ listen, auth }, sound) => {
  const path = ['auth', 'require_api_key']
  if (!sound('listen') || !sound(...path) || auth.require_api_key || listensOnLoopback(listen)) return []
  return [{ path, says: `false needs listen on a loopback address such as 127.0.0.1:8080, not ${listen}` }]
}

const keysOnce: Relation = ({ auth }, sound) =>
  sound('auth')
    ? [
        ...once(['auth', 'keys'], auth.keys, 'name', sound),
        ...once(['auth', 'keys'], auth.keys, 'key_sha256', sound, () => 'another name has the same key'),
      ]
    : []

/** SHA-256 of nothing: what a script writes whose variable was empty. */
const digestOfNothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

const keysSendable: Relation = ({ auth }, sound) =>
  sound('auth') && sound('auth', 'keys')
    ? auth.keys.flatMap((key, i) => {
        const path = ['auth', 'keys', i, 'key_sha256']
        return sound(...path) && key.key_sha256 === digestOfNothing
          ? [{ path, says: 'is the digest of an empty key, which no header can carry; hash the key itself' }]
          : []
      })
    : []

const poolsOnce: Relation = ({ pools }, sound) => once(['pools'], pools, 'id', sound)

const groupsOnce: Relation = ({ groups }, sound) => once(['groups'], groups, 'id', sound)

const poolsOf =
  (engines: EngineTable): Relation =>
  ({ pools }, sound) =>
    sound('pools') ? pools.flatMap((pool, i) => (sound('pools', i) ? poolOf(engines, pool, ['pools', i], sound) : [])) : []

function poolOf(engines: EngineTable, pool: Config['pools'][number], path: Path, sound: Sound): Problem[] {
  const problems = once([...path, 'replicas'], pool.replicas, 'id', sound)
  const isKnown = ['engine', 'driver', 'model'].every((key) => sound(...path, key))
  const says = isKnown ? modelRefRefusal(engines, pool) : undefined
  if (says !== undefined) problems.push({ path: [...path, 'model'], says })
  const { ctx, max_tokens_out = 0 } = pool
  if (sound(...path, 'ctx') && sound(...path, 'max_tokens_out') && ctx !== undefined && max_tokens_out >= ctx)
    problems.push({ path: [...path, 'max_tokens_out'], says: `${max_tokens_out} must be less than ctx (${ctx})` })
  return problems
}

const signers: Relation = ({ catalog }, sound) => {
  const list = ['catalog', 'signers']
  if (!sound(...list)) return []
  const problems = once(list, catalog.signers, 'name', sound)
  catalog.signers.forEach((signer, i) => {
    const path = [...list, i, 'public_key']
    const says = sound(...path) ? publicKeyRefusal(signer.public_key) : undefined
    if (says !== undefined) problems.push({ path, says })
  })
  return problems
}

function publicKeyRefusal(public_key: string): string | undefined {
  try {
    ed25519Key(public_key)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return undefined
}

const egressPorts: Relation = ({ catalog }, sound) => {
  const list = ['catalog', 'egress', 'hosts']
  if (!sound(...list)) return []
  return catalog.egress.hosts.flatMap((host, i) => {
    const path = [...list, i]
    const port = sound(...path) ? Number(/:([0-9]+)$/.exec(host.replace(/^\[.*\]/, ''))?.[1] ?? 0) : 0
    return port > 65535 ? [{ path, says: `${valueText(host)} has a port above 65535` }] : []
  })
}

const hubUrl: Relation = ({ catalog }, sound) =>
  sound('catalog', 'hf_endpoint') && URL.parse(catalog.hf_endpoint) === null
    ? [{ path: ['catalog', 'hf_endpoint'], says: `${valueText(catalog.hf_endpoint)} is not a URL` }]
    : []
