import { Kysely, Migrator, PostgresDialect, SqliteDialect, sql } from "kysely"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { indexFault } from "./index-fault.ts"
import { MIGRATIONS } from "./migrations.ts"
import type { IndexPlace } from "./place.ts"
import type { Tables } from "./schema.ts"

/**
 * "kept": what is written is here alone, so it is synced at each commit, and another process that writes is waited for.
 * "replayed": it comes again from elsewhere. Then SQLite, which works in this very thread, syncs when it sees fit, waits
 * for nobody, and so holds up nothing.
 */
export type IndexUse = "kept" | "replayed"

const SQLITE: Readonly<
  Record<IndexUse, { readonly synchronous: string; readonly busyWithin: Milliseconds }>
> = {
  kept: { synchronous: "full", busyWithin: seconds(5) },
  replayed: { synchronous: "normal", busyWithin: 20 },
}
const CONNECT_WITHIN: Milliseconds = seconds(5)
const ANSWER_WITHIN: Milliseconds = seconds(20)
/** A follower writes one batch at a time; the second is for whoever looks meanwhile. */
const CONNECTIONS = 2
/** PostgreSQL's number for bigint, which `pg` gives as text: ours stay below 2^53. */
const BIGINT = 20

/** SQLite in a file, or a PostgreSQL server: the same tables, the same queries. */
export class IndexDatabase {
  readonly name: string
  readonly #place: IndexPlace
  readonly #use: IndexUse
  /** null: the last one failed. */
  #db: Kysely<Tables> | null

  private constructor(place: IndexPlace, use: IndexUse, db: Kysely<Tables>) {
    this.name = place.name
    this.#place = place
    this.#use = use
    this.#db = db
  }

  /** Opens it and brings its tables up to date. @throws Fault as `indexFault` says. */
  static async open(place: IndexPlace, use: IndexUse = "kept"): Promise<IndexDatabase> {
    let db: Kysely<Tables> | null = null
    try {
      db = await connect(place, use)
      await migrate(db)
      return new IndexDatabase(place, use, db)
    } catch (error) {
      await db?.destroy().catch(() => undefined)
      throw indexFault(error, place.name)
    }
  }

  /** All of `work` or nothing of it. Rejects with Fault as `indexFault` says; after "unavailable" it may have happened. */
  change<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    return this.read((db) => db.transaction().execute(work))
  }

  /** Rejects as `change`. */
  async read<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    let db: Kysely<Tables> | null = null
    try {
      this.#db ??= await connect(this.#place, this.#use)
      db = this.#db
      return await work(db)
    } catch (error) {
      const fault = indexFault(error, this.name)
      if (fault.kind === "unavailable" && this.#place.engine === "sqlite") await this.#drop(db)
      throw fault
    }
  }

  /** libsql leaves a statement that found the file busy half done, and commits nothing on that connection any more. */
  async #drop(db: Kysely<Tables> | null): Promise<void> {
    if (db === null || this.#db !== db) return
    this.#db = null
    await db.destroy().catch(() => undefined)
  }

  /** Every table there is, ours or not, with all of its rows. Rejects as `change`. */
  tables(): Promise<
    readonly { readonly name: string; readonly rows: readonly Readonly<Record<string, unknown>>[] }[]
  > {
    return this.read(async (db) => {
      const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
      return Promise.all(
        tables.map(async ({ name }) => {
          const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(name)}`.execute(db)
          return { name, rows }
        }),
      )
    })
  }

  async close(): Promise<void> {
    await this.#db?.destroy()
  }
}

async function connect(place: IndexPlace, use: IndexUse): Promise<Kysely<Tables>> {
  return new Kysely<Tables>({ dialect: await dialectOf(place, use) })
}

/** Loaded when it is wanted: each of the two brings a library of its own. */
async function dialectOf(place: IndexPlace, use: IndexUse): Promise<SqliteDialect | PostgresDialect> {
  if (place.engine === "sqlite") {
    const { default: Sqlite } = await import("libsql")
    const database = new Sqlite(place.path)
    const { synchronous, busyWithin } = SQLITE[use]
    database.exec(`pragma busy_timeout = ${busyWithin}`)
    // A log beside the file: a reader never waits for the writer.
    database.exec(`pragma journal_mode = wal; pragma synchronous = ${synchronous}`)
    return new SqliteDialect({ database })
  }
  const { default: pg } = await import("pg")
  const pool = new pg.Pool({
    connectionString: place.url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_WITHIN,
    query_timeout: ANSWER_WITHIN,
    types: {
      getTypeParser: (oid: number, format?: "text" | "binary") =>
        oid === BIGINT ? Number : pg.types.getTypeParser(oid, format),
    },
  })
  // A connection that nobody uses may end: the server has gone, and the next query says so.
  pool.on("error", () => undefined)
  return new PostgresDialect({ pool })
}

async function migrate(db: Kysely<Tables>): Promise<void> {
  const provider = { getMigrations: async () => ({ ...MIGRATIONS }) }
  const migrator = new Migrator({ db, provider })
  const first = await migrator.migrateToLatest()
  if (first.error === undefined) return
  // Two processes that open a new SQLite file at once: the slower one finds everything done.
  const second = await migrator.migrateToLatest()
  if (second.error !== undefined) throw first.error
}
