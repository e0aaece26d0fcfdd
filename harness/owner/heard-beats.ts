import { verify } from "../../firmware/control/dsse.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import {
  type BeatQuote,
  deviceTopic,
  type Heartbeat,
  heartbeatShape,
} from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import { WakeUp } from "../../firmware/wake.ts"

/** The newest heartbeat of one camera that came over a link: what an owner's next word quotes. */
export class HeardBeats {
  readonly topic: string
  readonly #camera: PublicKey
  readonly #news = new WakeUp()
  #newest: Heartbeat | null = null

  constructor(camera: PublicKey) {
    this.#camera = camera
    this.topic = deviceTopic(camera.id, "beat")
  }

  get newest(): Heartbeat | null {
    return this.#newest
  }

  get quote(): BeatQuote | null {
    const beat = this.#newest
    return beat && { boot: beat.boot, number: beat.number, nonce: beat.nonce }
  }

  /** A message of the link's. Not this camera's word, or an older one of the same boot: as if it had not come. */
  hear(topic: string, payload: Buffer): boolean {
    if (topic !== this.topic) return false
    try {
      const beat = verify("heartbeat", payload, this.#camera, heartbeatShape)
      const before = this.#newest
      if (beat.device !== this.#camera.id) return false
      if (before?.boot === beat.boot && beat.number <= before.number) return false
      this.#newest = beat
      this.#news.wake()
      return true
    } catch (error) {
      if (!isFault(error)) throw error
      return false
    }
  }

  /** Resolves with one that `fits`, at once if the newest does; null when `signal` aborts first. */
  async next(
    signal: AbortSignal,
    fits: (beat: Heartbeat) => boolean = () => true,
  ): Promise<Heartbeat | null> {
    while (!signal.aborted) {
      if (this.#newest && fits(this.#newest)) return this.#newest
      await this.#news.wait(signal)
    }
    return null
  }
}
