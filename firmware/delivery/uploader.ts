import type { CameraConfig } from "../config.ts"
import { verify } from "../control/dsse.ts"
import type { Identity } from "../control/identity.ts"
import type { Link } from "../control/link.ts"
import type { Ownership } from "../control/ownership.ts"
import {
  CHUNK_DATA_BYTES_MAX,
  chunkFrame,
  decodeHave,
  deviceTopic,
  receiptShape,
} from "../control/protocol.ts"
import { Fault, isFault, messageOf } from "../errors.ts"
import type { Clock, Log } from "../ports.ts"
import type { Milliseconds } from "../units.ts"
import { WakeUp } from "../wake.ts"
import { lastSequence } from "./manifest.ts"
import type { Item, Parcel } from "./parcel.ts"
import type { Spool } from "./spool.ts"

/** How far to run ahead of what the cloud says it has. It speaks every 4 chunks. */
const WINDOW_BYTES = 8 * CHUNK_DATA_BYTES_MAX

export interface DeliverParts {
  readonly spool: Spool
  readonly link: Link
  readonly identity: Identity
  readonly ownership: () => Ownership
  readonly clock: Clock
  readonly log: Log
}

/**
 * Spool -> upload -> signed receipt -> evictable, one parcel after another, until `signal` aborts.
 *
 * PUBACK only moves bytes: the pace is what the cloud says it has, and nothing is let go without its signed receipt for
 * exactly this manifest. After a cut, or when an answer does not come, the manifest is sent again and the answer says
 * from where to go on; repeats are harmless.
 */
export async function deliver(
  parts: DeliverParts,
  config: CameraConfig["link"],
  signal: AbortSignal,
): Promise<void> {
  const { spool, link, clock, log } = parts
  let transfer: Transfer | null = null
  link.onMessage((topic, payload) => transfer?.onMessage(topic, payload))
  link.onDisconnect(() => transfer?.onDisconnect())
  const stop = () => transfer?.onDisconnect()
  signal.addEventListener("abort", stop, { once: true })
  // The session in which the last receipt came, if nothing went wrong since: then the cloud has nothing of the next.
  let smooth: number | null = null
  while (await link.whenConnected(signal)) {
    const parcel = await spool.next(signal)
    if (!parcel) break
    transfer = new Transfer(parts, config, parcel)
    const isNew = smooth === link.session
    smooth = null
    try {
      const receipt = await transfer.run(isNew)
      if (receipt) {
        await spool.received(parcel, receipt)
        smooth = link.session
        continue
      }
      log.write({
        event: "upload repeated",
        sequence: parcel.link.manifest.sequence,
        reason: "no answer in time",
      })
    } catch (error) {
      // A cut: the parcel waits in the spool and is resumed. Anything else is this camera's end.
      if (!isFault(error, "unavailable")) throw error
      log.write({
        event: "upload repeated",
        sequence: parcel.link.manifest.sequence,
        reason: messageOf(error),
      })
      // A disk that does not answer is not a cut: without a pause the same parcel would be tried without end.
      if (link.connected) await clock.sleep(config.retryFirst, signal)
    } finally {
      parcel.sending = false
    }
  }
  signal.removeEventListener("abort", stop)
}

/** One attempt at one parcel, over one connection. */
class Transfer {
  readonly #parts: DeliverParts
  readonly #config: CameraConfig["link"]
  readonly #parcel: Parcel
  readonly #news = new WakeUp()
  /** Per item: how many bytes the cloud says it has; null until it has said. */
  #held: readonly number[] | null = null
  #receipt: Uint8Array | null = null
  /** The cloud does not expect these objects (any more), or will not take the manifest: say it again later. */
  #forgotten = false
  #refused = false
  #cut = false

  constructor(parts: DeliverParts, config: CameraConfig["link"], parcel: Parcel) {
    this.#parts = parts
    this.#config = config
    this.#parcel = parcel
  }

  /**
   * Resolves with the verified receipt, or null when the cloud did not answer in time: the parcel is then tried again.
   * @param isNew the cloud cannot have any of it, and need not be asked.
   * @throws Fault "unavailable", indefinite: the connection ended.
   */
  async run(isNew: boolean): Promise<Uint8Array | null> {
    const { log } = this.#parts
    const { manifest, envelope } = this.#parcel.link
    await this.#publish("manifest", envelope)
    log.write({ event: "manifest sent", sequence: manifest.sequence, objects: this.#parcel.items.length })
    const answered = () => this.#held !== null || this.#receipt !== null || this.#refused
    if (!isNew && !(await this.#until(answered))) return null
    if (this.#parcel.sentWhole) await this.#doubtWhatWasReset()
    const sent = await this.#sendItems()
    this.#parcel.sentWhole ||= sent
    // What was sent again may be there already: then the receipt overtakes the last chunks.
    if (sent) await this.#until(() => this.#receipt !== null || this.#refused)
    if (!this.#receipt && this.#parcel.again > 0) this.#parcel.again--
    if (this.#refused) await this.#pause()
    return this.#receipt && this.#accept(this.#receipt)
  }

  onMessage(topic: string, payload: Buffer): void {
    const { identity, log, ownership } = this.#parts
    try {
      if (topic === deviceTopic(identity.device, "have")) this.#onHave(payload)
      if (topic === deviceTopic(identity.device, "receipt")) {
        const receipt = verify("receipt", payload, ownership().receiptKey, receiptShape)
        const { manifest, hash } = this.#parcel.link
        const mine = receipt.device === identity.device && receipt.manifest === hash
        if (mine && receipt.from === manifest.sequence && receipt.to === lastSequence(manifest))
          this.#receipt = Buffer.from(payload)
      }
    } catch (error) {
      log.write({ event: "receipt refused", reason: messageOf(error) })
    }
    this.#news.wake()
  }

  onDisconnect(): void {
    this.#cut = true
    this.#news.wake()
  }

  #onHave(payload: Buffer): void {
    const have = decodeHave(payload)
    if ("unknown" in have)
      this.#forgotten ||= this.#parcel.items.some(({ facts }) => facts.id === have.unknown)
    else if (have.manifest !== this.#parcel.link.hash) return
    else if ("held" in have)
      this.#held = have.held.length === this.#parcel.items.length ? have.held : this.#held
    else {
      this.#refused = true
      this.#parcel.refusals++
      const reason = `the cloud refuses this manifest: ${have.refused}`
      this.#parts.log.write({
        event: "upload refused",
        sequence: this.#parcel.link.manifest.sequence,
        reason,
      })
    }
  }

  /** false: there is no need to send more, or no use: the receipt is here, or the cloud went quiet or forgot. */
  async #sendItems(): Promise<boolean> {
    for (const [position, item] of this.#parcel.items.entries()) {
      const parts = await this.#parts.spool.read(this.#parcel, item)
      if (parts && !(await this.#sendItem(position, item, parts))) return false
    }
    return true
  }

  async #sendItem(position: number, { facts }: Item, parts: readonly Uint8Array[]): Promise<boolean> {
    const size = facts.headerBytes + facts.payloadBytes
    const held = () => this.#held?.[position] ?? 0
    for (let offset = Math.min(held(), size); offset < size; ) {
      if (this.#forgotten || this.#refused || this.#receipt) return false
      const far = () => offset - held() >= WINDOW_BYTES
      if (far() && !(await this.#until(() => !far() || this.#forgotten))) return false
      const length = Math.min(CHUNK_DATA_BYTES_MAX, size - offset)
      await this.#publish("chunk", chunkFrame(facts.id, offset, 0), ...viewsOf(parts, offset, length))
      offset += length
    }
    return true
  }

  /** A cloud that refuses now may have reasons that pass: it has not heard of this camera yet, or has no room. */
  async #pause(): Promise<void> {
    await this.#until(() => false, this.#config.retryFirst)
  }

  /** All was sent, and yet the cloud begins at 0 again: the hash did not hold there. Whose fault is it? */
  async #doubtWhatWasReset(): Promise<void> {
    for (const [position, item] of this.#parcel.items.entries())
      if (this.#held?.[position] === 0) await this.#parts.spool.doubt(this.#parcel, item)
  }

  #accept(receipt: Uint8Array): Uint8Array {
    const { manifest } = this.#parcel.link
    const { clock, log } = this.#parts
    const after = clock.monotonic() - this.#parcel.since
    const clips = [...new Set(this.#parcel.items.map(({ facts }) => facts.clip))]
    log.write({ event: "received", from: manifest.sequence, to: lastSequence(manifest), clips, after })
    return receipt
  }

  #publish(name: "manifest" | "chunk", ...parts: readonly Uint8Array[]): Promise<void> {
    return this.#parts.link.publish(deviceTopic(this.#parts.identity.device, name), ...parts)
  }

  /** Waits for news until `done`, at most `within`. Throws Fault "unavailable" when the connection ends. */
  async #until(done: () => boolean, within: Milliseconds = this.#config.resendAfter): Promise<boolean> {
    // A flag, not the clock: a timer may fire a hair before the clock says so, and would then be waited for in vain.
    let late = false
    const cancel = this.#parts.clock.after(within, () => {
      late = true
      this.#news.wake()
    })
    while (!done() && !this.#cut && !late) await this.#news.wait()
    cancel()
    if (this.#cut && !done()) throw new Fault("unavailable", "the connection ended", { definite: false })
    return done()
  }
}

/** `length` bytes from `offset` of the joined parts, uncopied. */
function viewsOf(parts: readonly Uint8Array[], offset: number, length: number): readonly Uint8Array[] {
  const views: Uint8Array[] = []
  let from = offset
  let left = length
  for (const part of parts) {
    if (from < part.length) {
      const view = part.subarray(from, from + left)
      views.push(view)
      left -= view.length
      if (left === 0) break
    }
    from = Math.max(0, from - part.length)
  }
  return views
}
