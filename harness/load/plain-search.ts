import { type FileHandle, open, readdir } from "node:fs/promises"
import { join } from "node:path"
import { type Bytes, MiB } from "../../firmware/units.ts"

/** Something that is no file. Its name is looked at too. */
export interface PlainThing {
  readonly name: string
  readonly bytes: Buffer
}

export interface Found {
  readonly file: string
  readonly at: Bytes
  readonly form: string
}

const WINDOW_BYTES: Bytes = 8 * MiB

/**
 * Looks for `canary` in every file under `paths`: as text, in hex of either case, in UTF-16, and in base64 at each of
 * its three alignments; and so in each of `things`. Names at most ten places; `bytes` says how much was looked through.
 */
export async function searchPlain(
  paths: readonly string[],
  canary: string,
  things: AsyncIterable<PlainThing> | null = null,
): Promise<{ readonly found: readonly Found[]; readonly bytes: Bytes }> {
  const needles = formsOf(canary)
  const longest = Math.max(...needles.map(({ bytes }) => bytes.length))
  const found: Found[] = []
  let searched = 0
  const buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES + longest)
  for (const file of await filesUnder(paths)) {
    const handle = await openListed(file, paths)
    if (handle === null) continue
    try {
      // What a window's end may cut is carried over to the next.
      let kept = 0
      for (let at = 0; ; ) {
        const { bytesRead } = await handle.read(buffer, kept, WINDOW_BYTES, at)
        if (bytesRead === 0) break
        const window = buffer.subarray(0, kept + bytesRead)
        for (const { form, bytes } of needles) {
          const where = window.indexOf(bytes)
          // One that lies wholly in what was carried over has been seen.
          if (where >= 0 && where + bytes.length > kept && found.length < 10)
            found.push({ file, at: at - kept + where, form })
        }
        at += bytesRead
        searched += bytesRead
        kept = Math.min(longest - 1, window.length)
        buffer.copyWithin(0, window.length - kept, window.length)
      }
    } finally {
      await handle.close()
    }
  }
  for await (const { name, bytes: thing } of things ?? []) {
    for (const { form, bytes } of needles) {
      const where = name.includes(bytes.toString("latin1")) ? 0 : thing.indexOf(bytes)
      if (where >= 0 && found.length < 10) found.push({ file: name, at: where, form })
    }
    searched += thing.length
  }
  return { found, bytes: searched }
}

function formsOf(canary: string): { readonly form: string; readonly bytes: Buffer }[] {
  const plain = Buffer.from(canary, "utf8")
  const hex = plain.toString("hex")
  return [
    { form: "plain", bytes: plain },
    { form: "hex", bytes: Buffer.from(hex) },
    { form: "upper-case hex", bytes: Buffer.from(hex.toUpperCase()) },
    { form: "UTF-16", bytes: Buffer.from(canary, "utf16le") },
    ...[0, 1, 2].map((alignment) => ({
      form: `base64 at ${alignment}`,
      bytes: Buffer.from(base64Core(plain, alignment)),
    })),
  ]
}

/** The digits that stay the same whatever stands before and after, when `before` bytes precede in its group of three. */
export function base64Core(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes])
    .toString("base64")
    .replaceAll("=", "")
  const complete = Math.floor(((before + bytes.length) * 8) / 6)
  return text.slice(Math.ceil((before * 8) / 6), complete)
}

/** null: it was in a folder of `paths`, and a program that still runs has removed it since. */
export async function openListed(file: string, paths: readonly string[]): Promise<FileHandle | null> {
  try {
    return await open(file, "r")
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ENOENT"
    if (isGone && !paths.includes(file)) return null
    throw error
  }
}

/** But for what is neither file nor folder. */
export async function filesUnder(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = []
  for (const path of paths) {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => null)
    if (entries === null) files.push(path)
    // A writer's lock is a socket, and holds nothing.
    else {
      const readable = entries.filter((entry) => entry.isFile() || entry.isDirectory())
      files.push(...(await filesUnder(readable.map(({ name }) => join(path, name)))))
    }
  }
  return files
}
