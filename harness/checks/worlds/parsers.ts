import { readPart } from "../../../firmware/control/live-messages.ts"
import { PairingTranscript, parseSetupText, setupText } from "../../../firmware/control/pairing.ts"
import {
  chunkFrame,
  decodeChunk,
  decodeHave,
  encodeHave,
  parseTopic,
} from "../../../firmware/control/protocol.ts"
import { sealAge } from "../../../firmware/delivery/age.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { isFault } from "../../../firmware/errors.ts"
import { OpeningEnd, SealingEnd } from "../../../firmware/live/channel.ts"
import { openCheckpoint, signCheckpoint } from "../../cloud/log/checkpoint.ts"
import { decodeCheckpointMessage, encodeCheckpointMessage } from "../../cloud/log/checkpoint-message.ts"
import { decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from "../../cloud/log/log-messages.ts"
import { decodeRecord, encodeRecord, NO_RECORD } from "../../cloud/log/records.ts"
import { OwnerKeys } from "../../owner/keys.ts"
import { openAge } from "../../owner/open-age.ts"
import type { Kinds } from "./kinds.ts"

/** What is parsed and is no signed envelope. */
export interface Parser {
  readonly name: string
  readonly sample: Buffer
  readonly isAuthentic: boolean
  takes(bytes: Buffer): Promise<boolean>
}

export async function everyParser({ key, keys }: Kinds): Promise<readonly Parser[]> {
  const [id, hash, device] = ["ab".repeat(16), "cd".repeat(32), key.id]
  const code = { secret: Buffer.alloc(16, 7), broker: { name: "cloud.example", pin: null } }
  const transcript = new PairingTranscript(code)
  const hello = Buffer.from(transcript.hello(device, key.hex))
  const recipients = Buffer.from(keys.recipientsFor(device, 1)).toString("base64")
  const keysOf = { owner: key.hex, receiptKey: key.hex, logKey: key.hex }
  const offer = Buffer.from(transcript.offer(hello, { ...keysOf, broker: code.broker, recipients }))
  const age = await sealAge(Buffer.alloc(70_000, 5), parseRecipient(keys.householdRecipient))
  const liveKey = Buffer.alloc(32, 3)
  const [part] = [...new SealingEnd(id, Buffer.from(liveKey)).seal([Buffer.alloc(300, 1)])]
  const log = { origin: "cloud.example/access-log", key }
  const note = signCheckpoint({ origin: log.origin, size: 3, root: Buffer.alloc(32, 1) }, key)
  const chunk = Buffer.concat([chunkFrame(id, 0, 0), Buffer.alloc(100, 1)])
  const nonce = id
  const by = { role: "support", key: null } as const
  const record = { kind: "ciphertext read", device, at: 1, by, reason: "a visit", objects: [id] } as const
  const text = (read: (text: string) => unknown) => (bytes: Buffer) => read(bytes.toString())
  const parsers: readonly (readonly [
    name: string,
    sample: Uint8Array,
    isAuthentic: boolean,
    read: (bytes: Buffer) => unknown,
  ])[] = [
    ["have", encodeHave({ manifest: hash, held: [1, 2] }), false, decodeHave],
    ["chunk", chunk, false, decodeChunk],
    [
      "live-part",
      Buffer.concat(part ?? []),
      true,
      (bytes) => {
        const read = readPart(bytes)
        // Of more parts than this one: it waits for them, and the seal is over all.
        if (read.parts !== 1) return null
        return new OpeningEnd(id, Buffer.from(liveKey)).open(read, read.data)
      },
    ],
    ["pairing-hello", hello, true, (bytes) => transcript.openHello(bytes)],
    ["pairing-offer", offer, true, (bytes) => transcript.openOffer(bytes, hello)],
    ["pairing-answer", transcript.answer(offer), true, (bytes) => transcript.openAnswer(bytes, offer)],
    ["setup-text", Buffer.from(setupText(code)), false, text(parseSetupText)],
    ["recovery-kit", Buffer.from(keys.recoveryKit), false, text((kit) => OwnerKeys.fromRecoveryKit(kit))],
    ["recipient", Buffer.from(keys.householdRecipient), true, text(parseRecipient)],
    [
      "sealed-object",
      Buffer.concat([age.header, ...age.payload]),
      true,
      (bytes) => openAge(bytes, keys.identity),
    ],
    ["log-question", encodeQuestion({ nonce, ask: { kind: "mailbox", from: 0 } }), false, decodeQuestion],
    ["log-answer", encodeAnswer({ nonce, bytes: null, more: false, refused: null }), false, decodeAnswer],
    ["log-checkpoint", note, true, (bytes) => openCheckpoint(bytes, log)],
    ["log-message", encodeCheckpointMessage({ old: 0, proof: [], note }), false, decodeCheckpointMessage],
    [
      "log-record",
      encodeRecord({ number: 0, previous: NO_RECORD, record: { ...record, objects: [id] } }),
      false,
      decodeRecord,
    ],
    ["topic", Buffer.from(`obscura/1/${device}/beat`), false, text(parseTopic)],
  ]
  return parsers.map(([name, sample, isAuthentic, read]) => ({
    ...{ name, sample: Buffer.from(sample), isAuthentic },
    takes: async (bytes) => {
      try {
        const taken = await read(bytes)
        return taken !== null
      } catch (error) {
        if (isFault(error) && error.kind !== "broken") return false
        throw error
      }
    },
  }))
}
