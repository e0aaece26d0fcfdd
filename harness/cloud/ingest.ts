import { verifySelfSigned } from "../../firmware/control/dsse.ts"
import { type PublicKey, publicKeyFromHex, type SigningKey } from "../../firmware/control/keys.ts"
import {
  answerShape,
  type FromCamera,
  heartbeatShape,
  PAYLOAD_BYTES_MAX,
  type ToCamera,
} from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"
import type { Beats } from "./beats.ts"
import type { WritableBucket } from "./bucket.ts"
import type { StoredManifest } from "./bucket-index.ts"
import { type CloudLog, type CloudStats, countRefusal, type Refusal, writeFault } from "./cloud-log.ts"
import { Recent } from "./recent.ts"
import { Uploads } from "./uploads.ts"
import { verified } from "./verified.ts"

/** Keys at hand: the others are read again from their camera's heartbeat. */
const KEYS_MAX = 16_384

export interface IngestOptions {
  readonly bucket: WritableBucket
  readonly beats: Beats
  readonly receiptKey: SigningKey
  readonly log: CloudLog
  readonly stats: CloudStats
  /** The key whose hash is `device`; null: not known here. Then a heartbeat must introduce the device first. */
  readonly keyOf: (device: string) => PublicKey | null
  /** Carries one message to the camera. May lose it: cameras resend, and are answered again. */
  readonly send: (device: string, name: ToCamera, payload: Uint8Array) => void
  /** Memory for objects that are not durable yet. An object gets its whole size at its first chunk or waits. */
  readonly pendingBytesMax?: Bytes
  /** Of one mailbox. A manifest that alone has more is refused. */
  readonly quotaBytes?: Bytes
}

/**
 * Everything a camera says to the cloud. It has two doors, the embedded broker and a subscriber elsewhere; both give it
 * messages of which they know the topic's device, and nothing more is believed of them.
 */
export class Ingest {
  readonly #options: IngestOptions
  readonly #uploads: Uploads

  constructor(options: IngestOptions) {
    const introduced = new Recent<PublicKey>(KEYS_MAX)
    const keyOf = (device: string): PublicKey | null => {
      const known = options.keyOf(device) ?? introduced.get(device)
      if (known) return known
      const read = options.beats.keyOf(device)
      if (read) introduced.set(device, read)
      return read
    }
    this.#options = { ...options, keyOf }
    this.#uploads = new Uploads(this.#options)
  }

  /**
   * Takes one message. `payload` is only lent: what is kept is copied.
   * A refusal is returned, logged and counted; nothing a camera sends makes it throw.
   */
  take(device: string, name: FromCamera, payload: Buffer): Refusal | null {
    const reason = this.#take(device, name, payload)
    if (reason !== null) {
      countRefusal(this.#options.stats, reason)
      this.#options.log.write({ event: "refused", device, message: name, reason })
    }
    return reason
  }

  /** From where on an object's bytes are wanted; null: nobody has announced it, or it is done. */
  expects(device: string, id: string): Bytes | null {
    return this.#uploads.expects(device, id)
  }

  /** Resolves when all that is complete now is durable or has failed. */
  drained(): Promise<void> {
    return this.#uploads.drained()
  }

  #take(device: string, name: FromCamera, payload: Buffer): Refusal | null {
    if (payload.length > PAYLOAD_BYTES_MAX) return "oversize"
    switch (name) {
      case "chunk":
        return this.#uploads.chunk(device, payload)
      case "manifest":
        return this.#uploads.manifest(device, payload)
      case "beat":
        return this.#beat(device, payload)
      case "answer":
        return verified("answer", device, payload, answerShape, this.#options.keyOf(device)).refused
      case "gone":
        this.#uploads.gone(device)
        return null
    }
  }

  #beat(device: string, payload: Buffer): Refusal | null {
    const { beats, bucket, keyOf } = this.#options
    const key = keyOf(device) ?? introducedKey(device, payload)
    const { body, refused } = verified("heartbeat", device, payload, heartbeatShape, key)
    if (refused !== null) return refused
    if (body.key !== key?.hex) return "another device"
    const latest = beats.latest(device)
    if (latest?.boot === body.boot && body.number < latest.number) return "replayed"
    if (!beats.set(body, payload)) return "no room for another camera"
    const newest = bucket.newest(device)
    if (newest !== null && newest.to > body.newest) this.#head(newest)
    return null
  }

  /** The camera seems to have lost its spool: its own newest manifest tells it where its chain stands. */
  #head(newest: StoredManifest): void {
    this.#options.bucket.envelopeBytes(newest).then(
      (envelope) => this.#options.send(newest.device, "head", envelope),
      (error: unknown) => writeFault(this.#options.log, "head", error),
    )
  }
}

/** The key that a heartbeat names, if it is the device's own: the id is its hash, so nobody else's will do. */
function introducedKey(device: string, payload: Buffer): PublicKey | null {
  try {
    const { key } = verifySelfSigned("heartbeat", payload, heartbeatShape, (body) =>
      publicKeyFromHex(body.key),
    )
    return key.id === device ? key : null
  } catch (error) {
    if (isFault(error)) return null
    throw error
  }
}
