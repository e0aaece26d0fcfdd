import { Fault } from "../firmware/errors.ts"
import type { Clock, Disk, Random, Store, StoreEntry } from "../firmware/ports.ts"
import type { Bytes, Milliseconds } from "../firmware/units.ts"
import { type DiskFaults, noFaults } from "./faults.ts"
import { chance } from "./random.ts"

export interface MemoryDiskOptions {
  readonly bytesMax?: Bytes
  readonly faults?: DiskFaults
  /** Clock and random serve the faults alone. */
  readonly clock: Clock
  readonly random: Random
}

/** One area of the disk. */
class MemoryStore implements Store {
  protected readonly medium: Medium
  readonly #entries = new Map<string, Entry>()

  constructor(medium: Medium) {
    this.medium = medium
  }

  async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    checkName(name)
    const entry = { parts: parts.map(alone), size: parts.reduce((sum, part) => sum + part.length, 0) }
    if (this.medium.faults.full) throw full(name)
    await this.medium.write(entry.size, () => this.#replace(name, entry))
  }

  async get(name: string): Promise<Uint8Array | null> {
    checkName(name)
    this.medium.checkPower()
    const entry = this.#entries.get(name)
    if (!entry) return null
    // Joined once, when somebody asks; a single part is the caller's own bytes.
    const bytes = entry.parts.length === 1 && entry.parts[0] ? entry.parts[0] : Buffer.concat(entry.parts)
    entry.parts = [bytes]
    return bytes
  }

  async remove(name: string): Promise<void> {
    checkName(name)
    await this.medium.write(0, () => {
      this.medium.used -= this.#entries.get(name)?.size ?? 0
      this.#entries.delete(name)
    })
  }

  holds(prefix: string): boolean {
    return this.count(prefix) > 0
  }

  /** How many names begin so. For whoever looks at the disk from outside, with or without power. */
  count(prefix: string): number {
    let count = 0
    for (const name of this.#entries.keys()) if (name.startsWith(prefix)) count++
    return count
  }

  async list(prefix: string): Promise<readonly StoreEntry[]> {
    this.medium.checkPower()
    const found: StoreEntry[] = []
    for (const [name, { size }] of this.#entries) if (name.startsWith(prefix)) found.push({ name, size })
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  #replace(name: string, entry: Entry): void {
    // Old and new are there at once for a moment, as on a real disk: an overwrite needs room for both.
    if (this.medium.used + entry.size > this.medium.bytesMax) throw full(name)
    this.medium.used += entry.size - (this.#entries.get(name)?.size ?? 0)
    this.#entries.set(name, entry)
  }
}

/**
 * A disk in memory, with a power switch. What `put` has resolved survives a cut; what was in flight is afterwards gone,
 * or there as a whole, but never torn. Without faults a call takes no timer, and copies small parts alone: a
 * thousand cameras have one each.
 */
export class MemoryDisk extends MemoryStore implements Disk {
  readonly private: Store

  constructor({ bytesMax = Infinity, faults = noFaults.disk, clock, random }: MemoryDiskOptions) {
    super(new Medium(bytesMax, faults, clock, random))
    this.private = new MemoryStore(this.medium)
  }

  async free(): Promise<Bytes> {
    this.medium.checkPower()
    return this.medium.faults.full ? 0 : this.medium.bytesMax - this.medium.used
  }

  /** Every call in flight, and every later one, rejects with Fault "unavailable", indefinite, until `powerOn`. */
  cutPower(): void {
    this.medium.cut()
  }

  powerOn(): void {
    this.medium.powered = true
  }

  get faults(): DiskFaults {
    return this.medium.faults
  }

  set faults(faults: DiskFaults) {
    this.medium.faults = faults
  }
}

interface Entry {
  parts: readonly Uint8Array[]
  readonly size: Bytes
}

/** What both areas of one disk share: its room, its speed and its power. */
class Medium {
  readonly bytesMax: Bytes
  faults: DiskFaults
  used: Bytes = 0
  powered = true
  readonly #clock: Clock
  readonly #random: Random
  #inFlight: Set<AbortController> | null = null

  constructor(bytesMax: Bytes, faults: DiskFaults, clock: Clock, random: Random) {
    this.bytesMax = bytesMax
    this.faults = faults
    this.#clock = clock
    this.#random = random
  }

  /** Does `commit` in one step, after as long as writing `size` bytes takes. */
  async write(size: Bytes, commit: () => void): Promise<void> {
    this.checkPower()
    const duration = this.#durationOf(size)
    if (duration > 0) await this.#inTime(duration, commit)
    commit()
  }

  checkPower(): void {
    if (!this.powered) throw powerless()
  }

  cut(): void {
    this.powered = false
    for (const write of this.#inFlight ?? []) write.abort()
  }

  #durationOf(size: Bytes): Milliseconds {
    return this.faults.latency + (size / this.faults.bytesPerSecond) * 1_000
  }

  async #inTime(duration: Milliseconds, commit: () => void): Promise<void> {
    const write = new AbortController()
    this.#inFlight ??= new Set()
    this.#inFlight.add(write)
    await this.#clock.sleep(duration, write.signal)
    this.#inFlight.delete(write)
    if (!write.signal.aborted) return
    if (chance(this.#random, this.faults.keptByCut)) commit()
    throw powerless()
  }
}

/** A small part is mostly a slice of node's 8 KiB pool, and kept as it is would keep all of that. */
function alone(part: Uint8Array): Uint8Array {
  const pooled = part.length <= Buffer.poolSize / 2 && part.length < part.buffer.byteLength
  return pooled ? Buffer.from(new Uint8Array(part).buffer) : part
}

const NAME = /^[a-z0-9][a-z0-9.-]{0,119}$/

function checkName(name: string): void {
  if (!NAME.test(name)) throw new Fault("usage", `disk: ${JSON.stringify(name)} is no name for an entry`)
}

function full(name: string): Fault {
  return new Fault("full", `disk: no room for ${name}`)
}

function powerless(): Fault {
  return new Fault("unavailable", "disk: the power was cut", { definite: false })
}
