import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync } from "node:fs"
import { chown, mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { judge } from "../../../support.ts"

/** A PostgreSQL server of a test's own, in a temporary folder, on loopback. */
export interface Postgres {
  readonly port: number
  /** Its database, emptied: what was in it is gone. Making another one costs a server many times that. */
  emptied(): string
  /** Ends it as a power cut does not: connections are cut, nothing committed is lost. */
  stop(): Promise<void>
  start(): Promise<void>
  remove(): Promise<void>
}

/** Where Debian keeps servers: a folder for each version, none of them on the path. */
const DEBIAN = "/usr/lib/postgresql"

/** null, and said so, where there is no server to run. */
export function postgresBinaries(): string | null {
  const versions = list(DEBIAN).sort((a, b) => Number(b) - Number(a))
  const folder = versions
    .map((version) => join(DEBIAN, version, "bin"))
    .find((bin) => list(bin).includes("initdb"))
  const postgres = judge(folder === undefined ? "postgres" : join(folder, "postgres"))
  if (postgres === null) return null
  return folder ?? execFileSync("pg_config", ["--bindir"], { encoding: "utf8" }).trim()
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

export async function startPostgres(binaries: string): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), "obscura-postgres-"))
  const user = unprivileged()
  if (user.uid !== undefined && user.gid !== undefined) await chown(folder, user.uid, user.gid)
  const data = join(folder, "data")
  const run = (command: string, ...words: string[]) =>
    execFileSync(join(binaries, command), words, { ...user, cwd: folder, stdio: ["ignore", "pipe", "pipe"] })
  run(
    "initdb",
    "--pgdata",
    data,
    "--username",
    "obscura",
    "--auth",
    "trust",
    "--no-sync",
    "--encoding",
    "UTF8",
  )
  const port = await freePort()
  let server: ChildProcess | null = null
  const where = ["--host", "127.0.0.1", "--port", String(port), "--username", "obscura"]

  async function start(): Promise<void> {
    const settings = [
      `port=${port}`,
      "listen_addresses=127.0.0.1",
      `unix_socket_directories=${folder}`,
      "fsync=off",
    ]
    const words = ["-D", data, ...settings.flatMap((each) => ["-c", each])]
    server = spawn(join(binaries, "postgres"), words, { ...user, cwd: folder, stdio: "ignore" })
    for (;;) {
      try {
        run("pg_isready", "--host", "127.0.0.1", "--port", String(port), "--quiet")
        return
      } catch {
        if (server.exitCode !== null) throw new Error("the PostgreSQL server of this test ended")
        await sleep(50)
      }
    }
  }

  async function stop(): Promise<void> {
    const ending = server
    server = null
    if (ending === null || ending.exitCode !== null) return
    const ended = once(ending, "exit")
    ending.kill("SIGINT")
    await ended
  }

  await start()
  run("createdb", ...where, "obscura")
  return {
    port,
    emptied() {
      run(
        "psql",
        ...where,
        "--quiet",
        "--command",
        "drop schema public cascade; create schema public",
        "obscura",
      )
      return `postgres://obscura@127.0.0.1:${port}/obscura`
    },
    stop,
    start,
    async remove() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The server refuses to run as root. */
function unprivileged(): { readonly uid: number; readonly gid: number } | Record<string, never> {
  if (process.getuid?.() !== 0) return {}
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) =>
        Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: "pipe" }))
      return { uid: id("-u"), gid: id("-g") }
    } catch {
      // No such user: the next one.
    }
  }
  throw new Error("no user but root to run PostgreSQL as")
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address ? address.port : 0
}
