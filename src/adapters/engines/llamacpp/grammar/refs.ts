import { isObject } from './keywords.ts'

/** What a `$ref` names within the whole schema, by a JSON pointer; undefined where there is nothing. */
export function resolve(root: unknown, ref: string): unknown {
  if (ref !== '#' && !ref.startsWith('#/')) return undefined
  let found = root
  for (const step of ref.split('/').slice(1)) {
    const name = decoded(step)
    if (Array.isArray(found)) found = (found as readonly unknown[])[Number(name)]
    else found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined
  }
  return found
}

function decoded(step: string): string {
  const plain = step.replaceAll('~1', '/').replaceAll('~0', '~')
  try {
    return decodeURIComponent(plain)
  } catch {
    // A name with a bare per cent sign.
    return plain
  }
}
