import type { components } from '../../generated/config.ts'
import { contains, type Path, type Problem } from './problem.ts'

type Config = components['schemas']['Config']

/** Tells where nothing is wrong. */
export interface Sound {
  /** Whether nothing is wrong with the value at a path, nor with anything it is in: it is a list or a mapping, but of what may be of any type. */
  (...path: Path): boolean
  /** The same, and with nothing that is in it either. */
  whole(...path: Path): boolean
}

/** What a schema cannot say. A relation reads only what is sound: anything else may be of any type. */
export type Relation = (config: Config, sound: Sound) => Problem[]

/** What is sound beside these problems. */
export const soundBeside = (problems: readonly Problem[]): Sound =>
  Object.assign((...path: Path) => !problems.some((problem) => contains(problem.path, path)), {
    whole: (...path: Path) => !problems.some((problem) => contains(problem.path, path) || contains(path, problem.path)),
  })
