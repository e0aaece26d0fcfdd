import { Fault } from "../../../firmware/errors.ts"
import type { Bytes } from "../../../firmware/units.ts"
import { Recent } from "../recent.ts"
import { HASH_BYTES, nodeHash } from "./merkle.ts"
import type { TreeNodes } from "./proofs.ts"

/**
 * A log's tree as files that never change (c2sp.org/tlog-tiles), tiles of height 8:
 *
 *   tile/<level>/<number>[.p/<width>]     up to 256 hashes; of level 0 leaves, above each the root of a full tile below
 *   tile/entries/<number>[.p/<width>]     up to 256 entries, each with its length before it, u16 big-endian
 *
 * A number is written in groups of three digits, all but the last with an x: 1234067 is x001/x234/067. A tile that is
 * not full has its width in its name, and goes when it is.
 */
export const TILE_WIDTH = 256
const TILE_HEIGHT = 8
export const ENTRY_BYTES_MAX = 65_535

/** Reads one file by its path from the log's prefix; null: not there. */
export type ReadTile = (path: string) => Promise<Uint8Array | null>

export function tilePath(level: number | "entries", number: number, width: number): string {
  const groups = [String(number % 1000).padStart(3, "0")]
  for (let rest = Math.floor(number / 1000); rest > 0; rest = Math.floor(rest / 1000))
    groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`)
  return `tile/${level}/${groups.join("/")}${width === TILE_WIDTH ? "" : `.p/${width}`}`
}

/** How many hashes that tile has in the tree with `size` leaves; 0: there is no such tile. */
export function tileWidth(level: number, number: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level) - number * TILE_WIDTH
  return Math.max(0, Math.min(TILE_WIDTH, hashes))
}

export function encodeEntries(entries: readonly Uint8Array[]): Buffer {
  const pieces = entries.flatMap((entry) => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(entry.length)
    return [length, entry]
  })
  return Buffer.concat(pieces)
}

/** @throws Fault "malformed", definite: not exactly `width` entries. */
export function decodeEntries(bytes: Uint8Array, width: number): readonly Uint8Array[] {
  const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: Uint8Array[] = []
  let at: Bytes = 0
  while (at < from.length && entries.length < width) {
    const end = at + 2 <= from.length ? at + 2 + from.readUInt16BE(at) : Number.POSITIVE_INFINITY
    if (end > from.length) break
    entries.push(from.subarray(at + 2, end))
    at = end
  }
  if (entries.length !== width || at !== from.length)
    throw new Fault("malformed", `entry bundle: not ${width} whole entries`)
  return entries
}

/** @throws Fault "malformed", definite: not exactly `width` hashes. */
export function decodeHashes(bytes: Uint8Array, width: number): readonly Uint8Array[] {
  if (bytes.length !== width * HASH_BYTES) throw new Fault("malformed", `tile: not ${width} hashes`)
  return Array.from({ length: width }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES))
}

/** Tiles kept at hand, their inner hashes too: at most 16 KiB each. */
const KEPT_MAX = 512

/**
 * The nodes of a tree of `size` leaves, out of its tiles. Nothing it says is proven: what is made of it must be.
 * Its nodes reject with Fault "malformed", definite, for a tile that is none, and "unavailable" for one that is missing.
 */
export class TiledTree implements TreeNodes {
  readonly #read: ReadTile
  readonly #size: number
  readonly #kept = new Recent<Promise<Tile>>(KEPT_MAX)

  constructor(read: ReadTile, size: number) {
    this.#read = read
    this.#size = size
  }

  async node(level: number, index: number): Promise<Uint8Array> {
    const tileLevel = Math.floor(level / TILE_HEIGHT)
    const inner = level % TILE_HEIGHT
    const first = index * 2 ** inner
    const number = Math.floor(first / TILE_WIDTH)
    const tile = await this.#tile(tileLevel, number)
    return tile.node(inner, (first % TILE_WIDTH) / 2 ** inner)
  }

  /** The entries of bundle `number`. @throws as its nodes. */
  async entries(number: number): Promise<readonly Uint8Array[]> {
    const width = tileWidth(0, number, this.#size)
    return decodeEntries(await this.#bytes("entries", number, width), width)
  }

  #tile(level: number, number: number): Promise<Tile> {
    const name = `${level}/${number}`
    const known = this.#kept.get(name)
    if (known !== null) return known
    const width = tileWidth(level, number, this.#size)
    const tile = this.#bytes(level, number, width).then((bytes) => new Tile(decodeHashes(bytes, width)))
    this.#kept.set(name, tile)
    return tile
  }

  async #bytes(level: number | "entries", number: number, width: number): Promise<Uint8Array> {
    const path = tilePath(level, number, width)
    const bytes = await this.#read(path)
    if (bytes !== null) return bytes
    const whole = width < TILE_WIDTH ? await this.#read(tilePath(level, number, TILE_WIDTH)) : null
    if (whole === null) throw new Fault("unavailable", `log: ${path} is missing`)
    if (level !== "entries") return whole.subarray(0, width * HASH_BYTES)
    return encodeEntries(decodeEntries(whole, TILE_WIDTH).slice(0, width))
  }
}

/** The subtree over the hashes of a tile, worked out as far as it was asked for. */
class Tile {
  readonly #levels: (Uint8Array | undefined)[][]

  constructor(hashes: readonly Uint8Array[]) {
    this.#levels = [[...hashes]]
  }

  /** @throws Fault "broken", definite: beyond the tile's width. */
  node(level: number, index: number): Uint8Array {
    this.#levels[level] ??= []
    const known = this.#levels[level][index]
    if (known !== undefined) return known
    if (level === 0) throw new Fault("broken", "log: a tile was asked for a hash beyond its width")
    const made = nodeHash(this.node(level - 1, index * 2), this.node(level - 1, index * 2 + 1))
    this.#levels[level][index] = made
    return made
  }
}
