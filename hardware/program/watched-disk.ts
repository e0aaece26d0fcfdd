import type { Clock, Disk, Store } from "../../firmware/ports.ts"
import type { Bytes, Milliseconds } from "../../firmware/units.ts"

/** What a camera's disk holds for its owner. */
export interface Holdings {
  readonly objects: number
  readonly bytes: Bytes
  /** Manifests that the cloud has not acknowledged yet. */
  readonly waiting: number
}

/**
 * A disk, and beside it what it holds and how long it has been asked for something. An SD card that is dying does not
 * fail: it stops answering.
 */
export class WatchedDisk implements Disk {
  readonly private: Store
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #sizes: Map<string, Bytes>
  readonly #asked = new Map<symbol, Milliseconds>()

  private constructor(disk: Disk, clock: Clock, sizes: Map<string, Bytes>) {
    this.#disk = disk
    this.#clock = clock
    this.#sizes = sizes
    const hidden = disk.private
    this.private = {
      put: (name, parts) => this.#time(hidden.put(name, parts)),
      get: (name) => this.#time(hidden.get(name)),
      remove: (name) => this.#time(hidden.remove(name)),
      list: (prefix) => this.#time(hidden.list(prefix)),
    }
  }

  static async over(disk: Disk, clock: Clock): Promise<WatchedDisk> {
    const entries = await disk.list("")
    return new WatchedDisk(disk, clock, new Map(entries.map(({ name, size }) => [name, size])))
  }

  holdings(): Holdings {
    return holdingsOf(this.#sizes)
  }

  /** For how long the oldest request has had no answer; 0: there is none. */
  silence(): Milliseconds {
    const [oldest] = this.#asked.values()
    return oldest === undefined ? 0 : this.#clock.monotonic() - oldest
  }

  async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    const size = parts.reduce((sum, part) => sum + part.length, 0)
    await this.#time(this.#disk.put(name, parts))
    this.#sizes.set(name, size)
  }

  get(name: string): Promise<Uint8Array | null> {
    return this.#time(this.#disk.get(name))
  }

  async remove(name: string): Promise<void> {
    await this.#time(this.#disk.remove(name))
    this.#sizes.delete(name)
  }

  list(prefix: string): ReturnType<Store["list"]> {
    return this.#time(this.#disk.list(prefix))
  }

  free(): Promise<Bytes> {
    return this.#time(this.#disk.free())
  }

  async #time<T>(answer: Promise<T>): Promise<T> {
    const request = Symbol("request")
    this.#asked.set(request, this.#clock.monotonic())
    try {
      return await answer
    } finally {
      this.#asked.delete(request)
    }
  }
}

export function holdingsOf(sizes: Iterable<readonly [name: string, size: Bytes]>): Holdings {
  let objects = 0
  let bytes = 0
  let waiting = 0
  for (const [name, size] of sizes) {
    if (name.startsWith("manifest.")) waiting++
    if (name.startsWith("received.")) waiting--
    if (!name.startsWith("object.")) continue
    objects++
    bytes += size
  }
  return { objects, bytes, waiting: Math.max(0, waiting) }
}
