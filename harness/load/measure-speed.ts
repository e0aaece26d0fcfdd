import { randomBytes } from "node:crypto"
import { z } from "zod"
import { sign, verify } from "../../firmware/control/dsse.ts"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { sealAgeStream } from "../../firmware/delivery/age.ts"
import { parseRecipient } from "../../firmware/delivery/recipient.ts"
import { type Bytes, KiB, MiB, type Seconds } from "../../firmware/units.ts"
import { OwnerKeys } from "../owner/keys.ts"
import type { Speed } from "./capacity.ts"

const PIECE_BYTES: Bytes = 64 * KiB
const STREAM_BYTES: Bytes = 8 * MiB
const SIGNED_AT_ONCE = 100

/**
 * What one core does here, of what costs a fleet most: it seals for `length` seconds, and signs and verifies for as
 * long. Processor time counts, so that other work on the machine tells less.
 */
export async function measureSpeed(length: Seconds = 0.5): Promise<Speed> {
  const keys = await OwnerKeys.create()
  const recipient = parseRecipient(keys.householdRecipient)
  const piece = randomBytes(PIECE_BYTES)
  const seal = async () => {
    let sealed = 0
    for await (const part of sealAgeStream(repeated(piece, STREAM_BYTES), recipient)) sealed += part.length
    return sealed
  }
  const key = signingKeyOf(randomBytes(32))
  const body = { role: "camera", client: key.id, key: key.hex }
  const shape = z.strictObject({ role: z.string(), client: z.string(), key: z.string() })
  const signAndVerify = async () => {
    for (let i = 0; i < SIGNED_AT_ONCE; i++) verify("connect", sign("connect", body, key), key, shape)
    return SIGNED_AT_ONCE
  }
  return { sealedBytes: await rateOf(seal, length), signed: await rateOf(signAndVerify, length) }
}

/** How much of it a second of processor time gives, once it is warm. */
async function rateOf(work: () => Promise<number>, length: Seconds): Promise<number> {
  await work()
  const [before, begun] = [process.cpuUsage(), performance.now()]
  let done = 0
  while (performance.now() - begun < length * 1_000) done += await work()
  const { user, system } = process.cpuUsage(before)
  return done / ((user + system) / 1e6)
}

async function* repeated(piece: Uint8Array, bytes: Bytes): AsyncGenerator<Uint8Array> {
  for (let given = 0; given < bytes; given += piece.length) yield piece
}
