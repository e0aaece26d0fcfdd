import { Duplex } from "node:stream"
import type { Clock, Random } from "../firmware/ports.ts"
import type { Bytes, Milliseconds } from "../firmware/units.ts"
import type { LinkFaults } from "./faults.ts"
import { chance } from "./random.ts"

/** How much each direction carries before the sender must wait: about what a socket buffers. */
const IN_FLIGHT_MAX: Bytes = 65_536
/** What one packet of TCP carries over Ethernet, about. */
const PACKET_BYTES: Bytes = 1_400

/** The camera's end of one connection, with a lane each way between it and the inner stream. */
export class FaultyLink extends Duplex {
  readonly #inner: Duplex
  readonly #up: Lane
  readonly #down: Lane
  #farEndLost = false

  constructor(inner: Duplex, clock: Clock, random: Random, faults: () => LinkFaults) {
    super({ allowHalfOpen: false })
    this.#inner = inner
    const held = () => faults().stalled || this.#farEndLost
    const reset = () => this.destroy()
    this.#up = new Lane({ clock, random, faults, held, reset })
    this.#down = new Lane({ clock, random, faults, held, reset })
    this.#carryDown()
  }

  override _read(): void {
    if (!this.#farEndLost) this.#inner.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#up.send(chunk.length, (done) => this.#inner.write(chunk, () => done()), callback)
  }

  override _final(callback: () => void): void {
    this.#up.send(0, (done) => {
      this.#inner.end()
      done()
    })
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#up.close()
    this.#down.close()
    this.#inner.destroy()
    callback(error)
  }

  faultsChanged(): void {
    this.#up.run()
    this.#down.run()
  }

  /** The far end closes, and this end never hears of it. */
  loseFarEnd(): void {
    this.#farEndLost = true
    this.#inner.destroy()
  }

  #carryDown(): void {
    const inner = this.#inner
    const next = () => {
      if (this.readableLength < this.readableHighWaterMark) inner.resume()
    }
    inner.on("data", (chunk: Buffer) => {
      inner.pause()
      this.#down.send(chunk.length, (done) => done(this.push(chunk)), next)
    })
    inner.on("end", () => this.#down.send(0, (done) => done(this.push(null))))
    inner.on("error", (error) => {
      if (!this.#farEndLost) this.destroy(error)
    })
    inner.on("close", () => {
      if (!this.#farEndLost) this.#down.send(0, (done) => done(this.destroy()))
    })
  }
}

interface Passing {
  /** When it has arrived, on the monotonic clock. */
  readonly at: Milliseconds
  readonly bytes: Bytes
  /** Hands it over and calls `done` once the receiver has room for more. */
  readonly deliver: (done: (result?: unknown) => void) => void
}

interface LaneParts {
  readonly clock: Clock
  readonly random: Random
  readonly faults: () => LinkFaults
  readonly held: () => boolean
  /** Ends the connection, both ways. */
  readonly reset: () => void
}

/** One direction: first in, first out, with one timer for the head. */
class Lane {
  readonly #parts: LaneParts
  #passing: Passing[] = []
  #inFlight: Bytes = 0
  /** When the last byte so far has left the sender. */
  #sentAt: Milliseconds = 0
  /** When the one before arrives: nothing overtakes. */
  #arrivesAt: Milliseconds = 0
  #accepted: (() => void) | null = null
  #cancelTimer: () => void = () => undefined
  #closed = false

  constructor(parts: LaneParts) {
    this.#parts = parts
  }

  /** Calls `accepted` when the next may be sent; only then may it be. */
  send(bytes: Bytes, deliver: Passing["deliver"], accepted?: () => void): void {
    const { clock, random, faults } = this.#parts
    const { latency, jitter, bytesPerSecond } = faults()
    this.#sentAt = Math.max(clock.monotonic(), this.#sentAt) + (bytes / bytesPerSecond) * 1_000
    const delay = latency + (jitter > 0 ? jitter * random.next() : 0) + this.#stallOf(bytes)
    this.#arrivesAt = Math.max(this.#arrivesAt, this.#sentAt + delay)
    this.#passing.push({ at: this.#arrivesAt, bytes, deliver })
    this.#inFlight += bytes
    if (accepted) this.#accepted = accepted
    this.run()
  }

  /** Lost packets, as a stream shows them: it waits until they were sent again, or ends. */
  #stallOf(bytes: Bytes): Milliseconds {
    const { random, faults, reset } = this.#parts
    const { loss, lossStall, lossResets } = faults()
    if (loss === 0) return 0
    let stall = 0
    for (let packets = Math.ceil(bytes / PACKET_BYTES); packets > 0; packets--) {
      if (!chance(random, loss)) continue
      stall += lossStall
      if (chance(random, lossResets)) process.nextTick(reset)
    }
    return stall
  }

  run(): void {
    this.#cancelTimer()
    while (this.#passing[0] && !this.#closed && !this.#parts.held()) {
      const wait = this.#passing[0].at - this.#parts.clock.monotonic()
      if (wait > 0) {
        this.#cancelTimer = this.#parts.clock.after(wait, () => this.run())
        break
      }
      this.#deliver(this.#passing[0])
    }
    this.#accept()
  }

  close(): void {
    this.#closed = true
    this.#cancelTimer()
    this.#passing = []
    this.#accepted = null
  }

  #deliver(head: Passing): void {
    this.#passing.shift()
    head.deliver(() => {
      this.#inFlight -= head.bytes
      this.#accept()
    })
  }

  #accept(): void {
    if (this.#inFlight >= IN_FLIGHT_MAX) return
    const accepted = this.#accepted
    this.#accepted = null
    accepted?.()
  }
}
