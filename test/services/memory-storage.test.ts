import { storageConformance } from '../conformance/storage.suite.ts'
import { MemoryStorage } from '../harness/memory-storage.ts'

// What the other tests of this folder stand on has to do what the real storage does.
storageConformance('in memory', () => Promise.resolve(new MemoryStorage()))
