import { randomBytes } from "node:crypto"
import type { ObjectFacts, ObjectKind } from "../clip.ts"
import type { RecipientsNow } from "../control/ownership.ts"
import { sealAge } from "./age.ts"

declare const sealed: unique symbol

/**
 * One age v1 file and what the manifest will say of it. The type is branded: nothing in firmware but this file makes
 * one, and nothing but one of these can be held in the spool, so there is no way for plaintext to go on.
 */
export interface SealedObject {
  readonly [sealed]: true
  readonly facts: ObjectFacts
  /** For which recipients. */
  readonly epoch: number
  readonly recipients: string
  /** The age file, in order: its header, then its payload. */
  readonly parts: readonly Uint8Array[]
}

export interface PlainObject {
  readonly kind: ObjectKind
  readonly clip: string
  readonly index: number
  readonly last: boolean
  /** Padded already. Not kept. */
  readonly bytes: Uint8Array
}

export type Seal = (plain: PlainObject) => Promise<SealedObject>
export type SealFor = (recipients: () => RecipientsNow) => Seal

/** Seals for whoever the recipients are at that moment, with a fresh file key each time. */
export const sealFor: SealFor = (recipients) => {
  return async (plain) => {
    const { epoch, hash, recipient } = recipients()
    const age = await sealAge(plain.bytes, recipient)
    const facts: ObjectFacts = {
      id: randomBytes(16).toString("hex"),
      kind: plain.kind,
      clip: plain.clip,
      index: plain.index,
      last: plain.last,
      headerBytes: age.header.length,
      payloadBytes: age.payloadBytes,
      headerHash: age.headerHash,
      payloadHash: age.payloadHash,
      commit: age.commit,
    }
    return { facts, epoch, recipients: hash, parts: [age.header, ...age.payload] } as unknown as SealedObject
  }
}
