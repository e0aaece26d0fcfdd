import { isIP } from "node:net"
import { Fault } from "../../../firmware/errors.ts"

/** Where an index lies. `name` is for people: it holds no password. */
export type IndexPlace =
  | { readonly engine: "sqlite"; readonly name: string; readonly path: string }
  | { readonly engine: "postgres"; readonly name: string; readonly url: string }

/** @throws Fault "usage", definite: one line that says what is wrong. It repeats nothing of a URL but host and database. */
export function parseIndexPlace(text: string): IndexPlace {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { engine: "sqlite", name: text, path: text }
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol !== "postgres:" && url?.protocol !== "postgresql:")
    throw new Fault("usage", "--index: it looks like a file's path, or postgres://user@host:5432/database")
  const { hostname, pathname, searchParams } = url
  const name = `postgres://${url.host}${pathname}`
  if (pathname.length < 2) throw new Fault("usage", `--index ${name}: name a database behind the host`)
  const isHere =
    hostname === "localhost" || hostname === "[::1]" || (isIP(hostname) === 4 && hostname.startsWith("127."))
  if (!isHere && searchParams.get("sslmode") !== "verify-full")
    throw new Fault("usage", `--index ${name}: add ?sslmode=verify-full; plain TCP is for this machine alone`)
  return { engine: "postgres", name, url: text }
}
