import { openStorage } from '../adapters/embedded/storage.ts'
import type { Config } from '../config/config.ts'
import type { Storage } from '../ports/storage.ts'

export { StorageRefusedError } from '../adapters/embedded/storage.ts'

/** Opens what outlives the daemon. @throws StorageRefusedError where the file cannot be used; the message says what to do */
export const storageOf = ({ data_dir }: Config): Promise<Storage> => openStorage({ data_dir })
