import { parentPort, workerData } from 'node:worker_threads'
import { digestFile } from './digest-file.ts'

parentPort?.postMessage(digestFile((workerData as { readonly path: string }).path))
