import type { Bytes, UnixMilliseconds } from "../../../firmware/units.ts"
import type { IndexDatabase } from "./database.ts"
import type { ClipObjectRow } from "./schema.ts"

/** One clip as the index knows it. */
export interface IndexedClip {
  readonly clip: string
  readonly objects: number
  readonly bytes: Bytes
  /** When the first of it came. */
  readonly arrived: UnixMilliseconds
}

/** Rows in one statement: both engines bound what may be asked with it. */
const ROWS_MAX = 500

/** The half of the index that knows devices. Every change may be made again. Rejects with Faults as the database does. */
export class ClipIndex {
  readonly #database: IndexDatabase

  constructor(database: IndexDatabase) {
    this.#database = database
  }

  /** All of it or nothing: objects that are there now, and ids of those that are not. */
  async change(here: readonly ClipObjectRow[], gone: readonly string[]): Promise<void> {
    await this.#database.change(async (db) => {
      for (const ids of inPieces(gone))
        await db.deleteFrom("clip_objects").where("object", "in", ids).execute()
      for (const rows of inPieces(here))
        await db
          .insertInto("clip_objects")
          .values(rows)
          .onConflict((conflict) => conflict.column("object").doNothing())
          .execute()
    })
  }

  async devices(): Promise<readonly string[]> {
    const rows = await this.#database.read((db) =>
      db.selectFrom("clip_objects").select("device").distinct().execute(),
    )
    return rows.map(({ device }) => device)
  }

  /** Ids. */
  async objectsOf(device: string): Promise<readonly string[]> {
    const rows = await this.#database.read((db) =>
      db.selectFrom("clip_objects").select("object").where("device", "=", device).execute(),
    )
    return rows.map(({ object }) => object)
  }

  /** The one that came last in front. */
  async clipsOf(device: string): Promise<readonly IndexedClip[]> {
    const rows = await this.#database.read((db) =>
      db
        .selectFrom("clip_objects")
        .select(({ fn }) => [
          "clip",
          fn.countAll<number>().as("objects"),
          fn.sum<number>("bytes").as("bytes"),
          fn.min<number>("arrived").as("arrived"),
        ])
        .where("device", "=", device)
        .groupBy("clip")
        .orderBy("arrived", "desc")
        .execute(),
    )
    // PostgreSQL sums big integers to a decimal, which comes as text.
    return rows.map(({ clip, objects, bytes, arrived }) => ({
      clip,
      objects: Number(objects),
      bytes: Number(bytes),
      arrived: Number(arrived),
    }))
  }
}

function inPieces<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / ROWS_MAX) }, (_, n) =>
    all.slice(n * ROWS_MAX, (n + 1) * ROWS_MAX),
  )
}
