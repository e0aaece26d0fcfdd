import { foldHashes, leafHash } from "./merkle.ts"
import { encodeEntries, TILE_WIDTH, tilePath } from "./tiles.ts"

/** A file of the log's public folder. */
export interface TileFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * The right edge of a growing tree: of each level the tile that is not full yet. That is all a log needs to go on, some
 * 8 KiB a level. `#full` holds what was filled since the last `saved`.
 */
export class TreeEdge {
  #size: number
  /** By level. */
  readonly #tiles: Uint8Array[][]
  readonly #entries: Uint8Array[]
  #full: TileFile[] = []

  constructor(size = 0, tiles: readonly (readonly Uint8Array[])[] = [], entries: readonly Uint8Array[] = []) {
    this.#size = size
    this.#tiles = tiles.map((hashes) => [...hashes])
    this.#entries = [...entries]
  }

  get size(): number {
    return this.#size
  }

  get root(): Uint8Array {
    let below: Uint8Array | null = null
    for (const hashes of this.#tiles)
      if (hashes.length > 0 || below !== null)
        below = foldHashes(below === null ? hashes : [...hashes, below])
    return below ?? foldHashes([])
  }

  append(entry: Uint8Array): void {
    const number = Math.floor(this.#size / TILE_WIDTH)
    this.#size++
    this.#entries.push(entry)
    if (this.#entries.length === TILE_WIDTH)
      this.#full.push({
        path: tilePath("entries", number, TILE_WIDTH),
        bytes: encodeEntries(this.#entries.splice(0)),
      })
    this.#push(0, leafHash(entry))
  }

  /** What was filled since the last `saved`, and what is begun now: all that a checkpoint of this size adds. */
  get files(): { readonly full: readonly TileFile[]; readonly partial: readonly TileFile[] } {
    const number = (level: number) => Math.floor(this.#size / TILE_WIDTH ** (level + 1))
    const partial: TileFile[] = this.#tiles.flatMap((hashes, level) => {
      if (hashes.length === 0) return []
      return [{ path: tilePath(level, number(level), hashes.length), bytes: Buffer.concat(hashes) }]
    })
    if (this.#entries.length > 0)
      partial.push({
        path: tilePath("entries", number(0), this.#entries.length),
        bytes: encodeEntries(this.#entries),
      })
    return { full: [...this.#full], partial }
  }

  /** Its `files` are durable. */
  saved(): void {
    this.#full = []
  }

  #push(level: number, hash: Uint8Array): void {
    this.#tiles[level] ??= []
    const hashes = this.#tiles[level]
    hashes.push(hash)
    if (hashes.length < TILE_WIDTH) return
    const number = this.#size / TILE_WIDTH ** (level + 1) - 1
    this.#full.push({ path: tilePath(level, number, TILE_WIDTH), bytes: Buffer.concat(hashes) })
    this.#tiles[level] = []
    this.#push(level + 1, foldHashes(hashes))
  }
}
