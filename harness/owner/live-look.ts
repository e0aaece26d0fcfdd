import { sign, verify } from "../../firmware/control/dsse.ts"
import { type PublicKey, type SigningKey, sha256Hex } from "../../firmware/control/keys.ts"
import { type Ask, type Live, liveShape, readPart } from "../../firmware/control/live-messages.ts"
import { type Answer, answerShape } from "../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../firmware/errors.ts"
import {
  agree,
  type Ephemeral,
  keyFor,
  newEphemeral,
  OpeningEnd,
  SealingEnd,
} from "../../firmware/live/channel.ts"
import { encodeReport, PictureReader } from "../../firmware/live/picture.ts"
import type { DecodableUnit } from "../../firmware/media/annexb.ts"
import type { Bytes } from "../../firmware/units.ts"

/** A picture as it was opened, and its number in the session. */
export interface LivePicture {
  readonly unit: DecodableUnit
  readonly counter: number
  readonly look: LiveLook
}

/** Of one picture in the making: what no camera sends is not gathered. */
const PICTURE_BYTES_MAX: Bytes = 9 * 2 ** 20

/**
 * A viewer's side of one session: an ask with a fresh key, then pictures in order. What is missing, altered or repeated on
 * the way is left out, and all that needs it, up to the next key frame.
 */
export class LiveLook {
  /** The ask, as an envelope. */
  readonly ask: Uint8Array
  readonly grantHash: string
  /** Pictures that came and could not be used: something on the way was lost or changed. */
  lost = 0
  readonly #camera: PublicKey
  readonly #viewer: PublicKey
  readonly #ephemeral: Ephemeral
  readonly #reader = new PictureReader()
  #ends: { readonly open: OpeningEnd; readonly seal: SealingEnd } | null = null
  #gathered: { readonly counter: number; readonly data: Buffer[]; bytes: Bytes } | null = null
  #next = 1
  #skipping = false

  constructor(camera: PublicKey, viewer: SigningKey, grant: Uint8Array) {
    this.#camera = camera
    this.#viewer = viewer
    this.#ephemeral = newEphemeral()
    this.grantHash = sha256Hex(grant)
    const body: Ask = {
      device: camera.id,
      grant: Buffer.from(grant).toString("base64"),
      ephemeral: this.#ephemeral.point,
    }
    this.ask = sign("ask", body, viewer)
  }

  get isOpen(): boolean {
    return this.#ends !== null
  }

  /** The camera's answer to this ask: "live", or why not; null: not an answer to it. */
  hearAnswer(payload: Buffer): "live" | Answer | null {
    try {
      const answer = verify("answer", payload, this.#camera, answerShape)
      return answer.command === sha256Hex(this.ask) ? answer : null
    } catch (error) {
      if (!isFault(error)) throw error
    }
    try {
      return this.#begin(verify("live", payload, this.#camera, liveShape), payload)
    } catch (error) {
      // Not this camera's word: the cloud may send what it likes.
      if (!isFault(error)) throw error
      return null
    }
  }

  #begin(live: Live, envelope: Buffer): "live" | null {
    const fits =
      this.#ends === null &&
      live.device === this.#camera.id &&
      live.ask === sha256Hex(this.ask) &&
      live.grant === this.grantHash &&
      live.viewer === this.#viewer.hex &&
      live.ephemeral === this.#ephemeral.point
    if (!fits) return null
    const secret = agree(this.#ephemeral, live.answer)
    const hash = sha256Hex(envelope)
    this.#ends = {
      open: new OpeningEnd(live.session, keyFor(secret, hash, "pictures")),
      seal: new SealingEnd(live.session, keyFor(secret, hash, "reports")),
    }
    secret.fill(0)
    return "live"
  }

  /** The next picture that may be shown; null: none yet. */
  hearPart(payload: Buffer): LivePicture | null {
    if (this.#ends === null) return null
    try {
      const part = readPart(payload)
      const sealed = this.#gather(part)
      if (sealed === null) return null
      const unit = this.#reader.read(this.#ends.open.open(part, sealed))
      const isNext = part.counter === this.#next
      this.#next = part.counter + 1
      this.#skipping = !unit.keyFrame && (this.#skipping || !isNext)
      if (this.#skipping) this.lost++
      return this.#skipping ? null : { unit, counter: part.counter, look: this }
    } catch (error) {
      if (!isFault(error) || error.kind === "broken") throw error
      this.lost++
      return null
    }
  }

  /** A report that all up to `counter` is here, or that this viewer leaves; null: nobody would read it. */
  report(counter: number, leaves: boolean): Uint8Array | null {
    const [message] = this.#ends?.seal.seal([encodeReport({ leaves, counter })]) ?? []
    return message ? Buffer.concat(message) : null
  }

  #gather({ counter, part, parts, data }: ReturnType<typeof readPart>): Buffer | null {
    if (parts === 1) return data
    if (part === 0) this.#gathered = { counter, data: [], bytes: 0 }
    const gathered = this.#gathered
    if (gathered?.counter !== counter || gathered.data.length !== part) {
      this.#gathered = null
      throw new Fault("malformed", "live: parts of a picture are missing")
    }
    gathered.bytes += data.length
    if (gathered.bytes > PICTURE_BYTES_MAX) throw new Fault("malformed", "live: a picture too large")
    gathered.data.push(Buffer.from(data))
    if (part + 1 < parts) return null
    this.#gathered = null
    return Buffer.concat(gathered.data)
  }
}
