type Versions = Readonly<Record<string, string>>

/** What is used of a `package.json`. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly bin: Versions
  readonly dependencies: Versions
  readonly optionalDependencies: Versions
}

/** What is used of an entry of a lock file. */
interface Locked {
  readonly dependencies?: Versions
  readonly optionalDependencies?: Versions
}

/** What is used of a `package-lock.json`. */
export interface Lock {
  readonly packages: Readonly<Record<string, Locked>>
}

/** Node itself, which a checkout brings and an installed package does not. */
const isNode = (name: string): boolean => /^node-(bin-)?(darwin|linux|win)-/.test(name)

/**
 * The `package.json` of the package: what the daemon needs where Node is there. Its libraries are inside it, for npm takes newer ones where a
 * package names them alone, and reads a lock file only in what a registry serves.
 */
export function packageJson({ name, version, description, license, bin, ...manifest }: Manifest): Manifest & { readonly type: string } {
  const optional = Object.entries(manifest.optionalDependencies).filter(([library]) => !isNode(library))
  return {
    ...{ name, version, description, license, bin, dependencies: { ...manifest.dependencies, ...Object.fromEntries(optional) } },
    ...{ type: 'module', engines: { node: '>=24' }, bundleDependencies: true, optionalDependencies: {} },
  }
}

/** Folders of all that a package needs, as npm laid them out by the lock file. */
export function librariesOf(manifest: Manifest, { packages }: Lock): readonly string[] {
  const kept = new Map<string, Locked>([['', manifest]])
  // A map gives what is added while it is walked, too.
  for (const [path, { dependencies, optionalDependencies }] of kept)
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = resolve(packages, path, name)
      const locked = packages[found ?? '']
      if (found !== undefined && locked !== undefined) kept.set(found, locked)
      else if (optionalDependencies?.[name] === undefined)
        throw new Error(`package-lock.json lacks ${name}, which ${path || 'the package'} needs`)
    }
  return [...kept.keys()].filter((path) => path !== '')
}

/** Where Node would find a package: in the nearest `node_modules` upwards. */
function resolve(packages: Lock['packages'], from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const path = `${at}${at === '' ? '' : '/'}node_modules/${name}`
    if (packages[path] !== undefined) return path
    if (at === '') return undefined
  }
}
