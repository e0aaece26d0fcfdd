import { open } from "node:fs/promises"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { type Bytes, MiB, type Milliseconds, minutes } from "../../firmware/units.ts"

export const MODEL_BYTES_MAX: Bytes = 256 * MiB
/** For all of it. */
const FETCH_WITHIN: Milliseconds = minutes(10)

export const isUrl = (from: string): boolean => /^https?:\/\//i.test(from)

/** `from` as it may be shown and kept: an address may have a password in it, or a token in its query. */
export function shownFrom(from: string): string {
  if (!isUrl(from) || !URL.canParse(from)) return from
  const { origin, pathname } = new URL(from)
  return `${origin}${pathname}`
}

/**
 * The bytes of a model, from a file or by http(s).
 * @throws Fault with one line that begins with `from` as it is shown. "usage", definite: no such file, or an address that is none;
 *         "refused", definite: the server said no; "unavailable", indefinite: it does not answer, or broke off;
 *         "malformed", definite: empty, or larger than any model for a camera.
 */
export async function readModelFrom(from: string, signal: AbortSignal): Promise<Uint8Array> {
  try {
    const bytes = isUrl(from) ? await download(from, signal) : await readModelFile(from)
    if (bytes.length === 0) throw new Fault("malformed", "is empty")
    return bytes
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Fault(cause.kind, `${shownFrom(from)}: ${cause.message}`, { cause, definite: cause.definite })
  }
}

/** Looks at its size before it takes memory for it. @throws as `readModelFrom`, without the file's name. */
export async function readModelFile(path: string): Promise<Uint8Array> {
  const file = await open(path).catch((cause: unknown) => {
    throw new Fault("usage", `cannot be opened (${messageOf(cause)})`, { cause })
  })
  try {
    const found = await file.stat()
    if (!found.isFile()) throw new Fault("usage", "is no file")
    if (found.size > MODEL_BYTES_MAX) throw tooLarge()
    return await file.readFile()
  } finally {
    await file.close()
  }
}

async function download(url: string, signal: AbortSignal): Promise<Uint8Array> {
  if (!URL.canParse(url)) throw new Fault("usage", "is no address")
  const { username, password } = new URL(url)
  if (username !== "" || password !== "")
    throw new Fault("usage", "has a name or password in it: fetch the file yourself, and name that")
  // Not `AbortSignal.any` over `AbortSignal.timeout`: node 20's collector may take that pair away before it fires.
  const end = new AbortController()
  const stop = () => end.abort()
  const timer = setTimeout(stop, FETCH_WITHIN)
  signal.addEventListener("abort", stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await bytesAt(url, end.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", stop)
  }
}

async function bytesAt(url: string, signal: AbortSignal): Promise<Uint8Array> {
  let response: Response
  try {
    response = await fetch(url, { signal, headers: { accept: "application/octet-stream" } })
  } catch (cause) {
    throw brokenOff(cause)
  }
  if (!response.ok) {
    await response.body?.cancel().catch(() => undefined)
    throw new Fault("refused", `the server answered ${response.status} ${response.statusText}`.trim())
  }
  const announced = Number(response.headers.get("content-length") ?? Number.NaN)
  if (announced > MODEL_BYTES_MAX) throw tooLarge()
  const parts: Uint8Array[] = []
  let got: Bytes = 0
  try {
    for await (const part of response.body ?? []) {
      parts.push(part)
      got += part.length
      if (got > MODEL_BYTES_MAX) throw tooLarge()
    }
  } catch (cause) {
    throw isFault(cause) ? cause : brokenOff(cause)
  }
  const isCoded = response.headers.has("content-encoding")
  if (!isCoded && got < announced)
    throw new Fault("unavailable", `broke off after ${got} of ${announced} bytes; try again`, {
      definite: false,
    })
  return Buffer.concat(parts)
}

function brokenOff(cause: unknown): Fault {
  const why = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause)
  return new Fault("unavailable", `does not answer, or broke off (${why}); try again`, {
    cause,
    definite: false,
  })
}

function tooLarge(): Fault {
  return new Fault("malformed", `is larger than ${MODEL_BYTES_MAX / MiB} MiB: no model for a camera`)
}
