import type { BigIntStats } from 'node:fs'

/** Tells a file from the one it was: its place on the disk, its size, and when its content and its entry were changed last. */
export const stampOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string => [dev, ino, size, mtimeNs, ctimeNs].join(':')
