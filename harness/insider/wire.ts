import type { Duplex } from "node:stream"
import { Fault } from "../../firmware/errors.ts"
import type { Connection, Dialler } from "../../firmware/ports.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"

const KEPT_BYTES_MAX: Bytes = 64 * MiB

/**
 * A camera's way to its broker, with somebody listening: what goes by is kept, both ways, before TLS seals it. Whoever
 * holds the wire may also lead it elsewhere.
 */
export class Wire implements Dialler {
  readonly sent: Buffer[] = []
  readonly heard: Buffer[] = []
  /** Told of what the camera says, as it goes. */
  onSent: (chunk: Buffer) => void = () => undefined
  #kept: Bytes = 0
  readonly #home: Dialler
  /** Where whoever holds the wire leads it; null: home. */
  #elsewhere: Dialler | null = null
  readonly #open = new Set<Duplex>()

  constructor(dialler: Dialler) {
    this.#home = dialler
  }

  get bytes(): Bytes {
    return this.#kept
  }

  async dial(pin: string | null, signal: AbortSignal): Promise<Connection> {
    const way = this.#elsewhere
    // Whoever took the broker over has its TLS key too: the pin holds.
    const connection = await (way ? way.dial(null, signal) : this.#home.dial(pin, signal))
    if (way !== this.#elsewhere) {
      connection.stream.destroy()
      throw new Fault("unavailable", "dial: led elsewhere meanwhile")
    }
    const { stream } = connection
    this.#open.add(stream)
    stream.once("close", () => this.#open.delete(stream))
    const write = stream._write.bind(stream)
    stream._write = (chunk: Buffer, encoding, done) => {
      this.#keep(this.sent, chunk)
      write(chunk, encoding, done)
    }
    const writev = stream._writev?.bind(stream)
    if (writev)
      stream._writev = (chunks, done) => {
        for (const { chunk } of chunks) this.#keep(this.sent, chunk as Buffer)
        writev(chunks, done)
      }
    const push = stream.push.bind(stream)
    stream.push = (chunk: Buffer | null, encoding) => {
      if (chunk !== null) this.#keep(this.heard, chunk)
      return push(chunk, encoding)
    }
    return connection
  }

  /** Every connection ends now, and the next ones go to whoever `dialler` reaches; null: back to the real broker. */
  leadTo(dialler: Dialler | null): void {
    this.#elsewhere = dialler
    for (const stream of this.#open) stream.destroy()
  }

  #keep(where: Buffer[], chunk: Buffer): void {
    if (where === this.sent) this.onSent(chunk)
    if (this.#kept + chunk.length > KEPT_BYTES_MAX) return
    this.#kept += chunk.length
    where.push(Buffer.from(chunk))
  }
}
