import type { components } from '../../../generated/api.ts'

type Schemas = components['schemas']
export type FeedRow = Schemas['FeedRow']
export type FeedState = Schemas['FeedState']
export type FeedEnded = Schemas['FeedEnded']
export type FeedOrder = Schemas['FeedOrder']
export type FeedPool = Schemas['FeedPool']
export type FeedReplica = FeedPool['replicas'][number]
export type FeedDevice = Schemas['FeedDevice']
export type FeedKey = Schemas['FeedKey']
export type FeedDaemon = Schemas['FeedDaemon']
export type FeedSample = Schemas['FeedSample']
export type FeedSamples = Schemas['FeedSamples']
export type FeedSnapshot = Schemas['FeedSnapshot']
export type FeedChanges = Schemas['FeedChanges']

/** Something that is told with durations that run: they are from the moment it is told. @param now of the clock, ms */
export type Told<T> = (now: number) => T

/** A duration as the contract has it: whole ms, not below 0. */
export const wireMs = (ms: number): number => Math.min(2 ** 31 - 1, Math.max(0, Math.round(ms)))

/** A point in time as the contract has it. @param wall ms since the epoch */
export const iso = (wall: number): string => new Date(wall).toISOString()
