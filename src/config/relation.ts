import type { components } from '../../generated/config.ts'
import { contains, type Path, type Problem } from './problem.ts'

type Config = components['schemas']['Config']

/** Whether nothing is wrong with the value at a path, nor with anything it is in. */
export type Sound = (...path: Path) => boolean

/** What a schema cannot say. A relation reads only what is sound: anything else may be of any type. */
export type Relation = (config: Config, sound: Sound) => Problem[]

/** What is sound beside these problems. */
export const soundBeside =
  (problems: readonly Problem[]): Sound =>
  (...path) =>
    !problems.some((problem) => contains(problem.path, path))
