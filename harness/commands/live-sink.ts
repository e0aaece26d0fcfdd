import { spawn } from "node:child_process"
import { once } from "node:events"
import { constants } from "node:fs"
import { access, open } from "node:fs/promises"
import { delimiter, join } from "node:path"
import type { Writable } from "node:stream"
import { Fault, messageOf } from "../../firmware/errors.ts"

/** Where a live film goes. */
export interface Sink {
  /** Resolves when it may have more: whoever shows it slowly is behind, and the camera leaves pictures out. */
  write(bytes: Uint8Array): Promise<void>
  /** Aborts when nobody takes any more: its player was closed. */
  readonly closed: AbortSignal
  close(): Promise<void>
}

const NEVER = new AbortController().signal

export const NO_SINK: Sink = {
  write: async () => undefined,
  closed: NEVER,
  close: async () => undefined,
}

/** `path` -: standard output. @throws Fault "usage", definite: it cannot be written. */
export async function fileSink(path: string): Promise<Sink> {
  if (path === "-") return { ...streamSink(process.stdout), close: async () => undefined }
  try {
    const file = await open(path, "w", 0o600)
    return {
      write: async (bytes) => {
        await file.writeFile(bytes)
      },
      closed: NEVER,
      close: () => file.close(),
    }
  } catch (cause) {
    throw new Fault("usage", `--out ${path}: cannot be written (${messageOf(cause)})`, { cause })
  }
}

/** What plays from its standard input, as soon as it can. */
const PLAYERS: Readonly<Record<string, readonly string[]>> = {
  ffplay:
    "-loglevel error -fflags nobuffer -flags low_delay -framedrop -window_title obscura -i pipe:0".split(" "),
  mpv: ["--profile=low-latency", "--really-quiet", "--title=obscura", "-"],
}

/** @throws Fault "usage", definite: there is no player. */
export async function playerSink(path: string = process.env.PATH ?? ""): Promise<Sink> {
  for (const [name, args] of Object.entries(PLAYERS)) {
    const program = await findProgram(name, path)
    if (program !== null) return started(program, args)
  }
  throw new Fault(
    "usage",
    "--play needs ffplay or mpv: install one (Debian: apt install ffmpeg, or mpv), or give --out FILE",
  )
}

async function findProgram(name: string, path: string): Promise<string | null> {
  for (const folder of path.split(delimiter).filter((each) => each !== "")) {
    const file = join(folder, name)
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return file
  }
  return null
}

function started(program: string, args: readonly string[]): Sink {
  const player = spawn(program, args, { stdio: ["pipe", "ignore", "inherit"] })
  const gone = new AbortController()
  player.once("exit", () => gone.abort())
  player.once("error", () => gone.abort())
  const { write } = streamSink(player.stdin, gone.signal)
  return {
    write,
    closed: gone.signal,
    async close() {
      player.stdin.end()
      if (gone.signal.aborted) return
      player.kill()
      await once(player, "exit")
    },
  }
}

function streamSink(stream: Writable, closed: AbortSignal = NEVER): Sink {
  // Whoever reads may have seen enough.
  stream.on("error", () => undefined)
  return {
    async write(bytes) {
      if (closed.aborted || stream.writableEnded || stream.destroyed || stream.write(bytes)) return
      await Promise.race([happens(stream, "drain"), happens(stream, "close"), aborted(closed)])
    },
    closed,
    close: async () => undefined,
  }
}

/** Unlike `once` of node:events it does not reject for an error meanwhile: "close" comes after one. */
function happens(stream: Writable, event: "drain" | "close"): Promise<void> {
  return new Promise((resolve) => void stream.once(event, () => resolve()))
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
}
