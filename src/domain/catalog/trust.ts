import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { CatalogModelRequest } from './catalog.ts'

/** A key whose signatures count. */
export interface Signer {
  readonly name: string
  /** Ed25519: 32 bytes, base64. */
  readonly public_key: string
}

/** What the signatures of a model are worth. */
export interface TrustFinding {
  readonly reason: 'bad_signature' | 'unsigned'
  /** What is missing, naming the field and the fix. */
  readonly message: string
}

/** The key as Node takes it. @throws Error where it is not 32 bytes of base64 or not a key */
export function ed25519Key(public_key: string): KeyObject {
  const bytes = Buffer.from(public_key, 'base64')
  if (bytes.length !== 32 || bytes.toString('base64') !== public_key)
    throw new Error('must be the 32 bytes of an Ed25519 public key in base64')
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, format: 'jwk' })
}

/** Judges signatures by the configured keys. */
export class Trust {
  private readonly keys: ReadonlyMap<string, KeyObject>

  /** @throws Error where a key is not one */
  constructor(signers: readonly Signer[]) {
    this.keys = new Map(signers.map(({ name, public_key }) => [name, ed25519Key(public_key)]))
  }

  /**
   * What stands against a model: nothing where a key that counts has signed the ASCII text of its digest, and no signature of such a key
   * is wrong. Keys count if they are configured and, where the model's policy names signers, among those.
   */
  findings({ digest, signatures = [], trust_policy: { signers } }: CatalogModelRequest): TrustFinding[] {
    const findings: TrustFinding[] = []
    let good = 0
    signatures.forEach(({ signer, value }, i) => {
      const key = signers === undefined || signers.includes(signer) ? this.keys.get(signer) : undefined
      if (key === undefined) return
      if (isSignedBy(key, digest, value)) good++
      else
        findings.push({
          reason: 'bad_signature',
          message: `signatures.${i}.value: is not ${signer}'s Ed25519 signature of the text of digest`,
        })
    })
    if (good === 0 && findings.length === 0) {
      const known =
        signatures.length === 0 ? 'there is none' : `none of ${[...new Set(signatures.map(({ signer }) => signer))].join(', ')} counts`
      findings.push({
        reason: 'unsigned',
        message: `signatures: needs one by a key of catalog.signers${signers === undefined ? '' : ' that trust_policy.signers names'}; ${known}`,
      })
    }
    return findings
  }
}

function isSignedBy(key: KeyObject, digest: string, value: string): boolean {
  const signature = Buffer.from(value, 'base64')
  if (signature.length !== 64 || signature.toString('base64') !== value) return false
  return verify(null, Buffer.from(digest, 'ascii'), key, signature)
}
