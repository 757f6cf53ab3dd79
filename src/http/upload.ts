import type * as Form from '@fastify/busboy'
import type { BusboyFileStream } from '@fastify/busboy'
import { createRequire } from 'node:module'
import type { Request } from 'express'
import type { Upload, UploadedFile } from '../domain/batches/upload.ts'
import { DomainError } from '../domain/errors.ts'
import { readByRounds } from './request-rounds.ts'

// Most daemons are sent no file.
const require = createRequire(import.meta.url)
const formReader = (): typeof Form => require('@fastify/busboy') as typeof Form

/**
 * A form with one file of at most `limit` bytes, read as it comes (RFC 7578).
 * @param key whose it is
 * @param name of the limit in the configuration
 * @throws DomainError unsupported_media_type
 */
export function uploadOf(req: Request, key: string, name: string, limit: number): Upload {
  const type = req.headers['content-type'] ?? ''
  if (!/^multipart\/form-data\s*;.*\bboundary=/i.test(type))
    throw new DomainError('unsupported_media_type', 'Send the file as Content-Type: multipart/form-data with a boundary.')
  const limits = { files: 1, fields: 16, fieldSize: 65_536, fileSize: limit }
  const tooLarge = (): DomainError => new DomainError('payload_too_large', `The file is larger than ${name} (${limit}).`)
  return {
    receive: async (onFile) => {
      const { Busboy } = formReader()
      const form = new Busboy({ headers: { ...req.headers, 'content-type': type }, limits })
      const fields = new Map<string, string>()
      const { promise, resolve, reject } = Promise.withResolvers<undefined>()
      let kept: Promise<void> = Promise.resolve()
      let file: BusboyFileStream | undefined
      form.on('field', (field, value) => fields.set(field, value))
      form.on('file', (field, stream, filename) => {
        file = stream
        kept = onFile({ field, filename: filename || 'file', content: contentOf(stream, tooLarge) })
        kept.catch(reject)
      })
      form.on('finish', () => resolve(undefined))
      form.on('error', (cause) => reject(new DomainError('invalid_params', 'body: is not a form as RFC 7578 has it', { cause })))
      const gone = (): void => {
        if (!req.complete) reject(new DomainError('invalid_params', 'body: the connection closed before the form was complete'))
      }
      req.once('close', gone)
      const stopRounds = readByRounds(req, key)
      req.pipe(form)
      try {
        await promise
        await kept
        return fields
      } finally {
        stopRounds()
        // What is left of a form that was refused is read and dropped, for the answer has to reach its sender.
        req.unpipe(form)
        req.resume()
        // Who keeps the file of a form that was cut off hears of it, and is through when this returns.
        file?.destroy()
        await kept.catch(() => undefined)
      }
    },
  }
}

async function* contentOf(stream: BusboyFileStream, tooLarge: () => DomainError): UploadedFile['content'] & AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield chunk as Uint8Array
  if (stream.truncated) throw tooLarge()
}
