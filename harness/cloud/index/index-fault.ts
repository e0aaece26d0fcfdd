import { Fault, isFault, messageOf } from "../../../firmware/errors.ts"

/** What to do, by what the engine calls it: SQLSTATE of PostgreSQL (appendix A), or SQLite's names. */
const NOT_ALLOWED: Readonly<Record<string, string>> = {
  "28P01": "wrong password; set PGPASSWORD or ~/.pgpass",
  "28000": "this user may not connect",
  "3D000": "no such database; make it with createdb",
  "42501": "this user may not do that; it needs to make and write tables there",
  ENOTFOUND: "no such host",
  SQLITE_CANTOPEN: "cannot be opened; check folder and rights",
  SQLITE_NOTADB: "is no SQLite database",
  SQLITE_READONLY: "cannot be written; check its rights",
  SQLITE_CORRUPT: "is damaged; move it away, it is made anew from the bucket",
}
const NO_ROOM: ReadonlySet<string> = new Set(["53100", "SQLITE_FULL"])
/** The unique rule of a table. */
const DOUBLE: ReadonlySet<string> = new Set([
  "23505",
  "SQLITE_CONSTRAINT_PRIMARYKEY",
  "SQLITE_CONSTRAINT_UNIQUE",
])

/**
 * "usage" (definite): it cannot work as called. "broken". "full" (definite). "refused" (definite): it is there already. Else
 * "unavailable", indefinite. The engine's own words may quote a row, and so an e-mail: they stay in `cause`.
 */
export function indexFault(cause: unknown, name: string): Fault {
  if (isFault(cause)) return cause
  if (cause instanceof TypeError || cause instanceof ReferenceError)
    return new Fault("broken", `index ${name}: a mistake of ours`, { cause })
  const code = codeOf(cause)
  const advice = NOT_ALLOWED[code] ?? NOT_ALLOWED[code.split("_").slice(0, 2).join("_")]
  if (advice !== undefined) return new Fault("usage", `index ${name}: ${advice}`, { cause })
  if (NO_ROOM.has(code)) return new Fault("full", `index ${name}: no room`, { cause })
  if (DOUBLE.has(code)) return new Fault("refused", `index ${name}: it is there already`, { cause })
  const why = code === "" ? "does not answer" : `does not answer (${code})`
  return new Fault("unavailable", `index ${name}: ${why}`, { definite: false, cause })
}

function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError) return codeOf(cause.errors[0])
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string" && cause.code !== "")
    return cause.code
  // libsql gives no code for a file that it cannot open at all.
  return /unable to open|not a database/i.exec(messageOf(cause)) ? "SQLITE_CANTOPEN" : ""
}
