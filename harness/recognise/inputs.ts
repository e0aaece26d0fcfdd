import { readdir, stat } from "node:fs/promises"
import { basename, extname, join } from "node:path"
import { messageOf } from "../../firmware/errors.ts"
import type { Failure } from "./result.ts"

export interface Input {
  readonly path: string
  /** As the page names it: below the folder that was named, or as it was called. */
  readonly name: string
  readonly kind: "picture" | "film"
}

const PICTURES = [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"]
const FILMS = [
  ".mp4",
  ".m4v",
  ".mov",
  ".mkv",
  ".webm",
  ".avi",
  ".ts",
  ".mpg",
  ".mpeg",
  ".h264",
  ".264",
  ".h265",
  ".hevc",
]
export const KNOWN_ENDINGS = "jpg, png, webp, mp4, mov, mkv, avi, h264 and their like"

/**
 * The films and pictures that are meant: files by name, and folders with all that is below them, hidden ones left out.
 * In a folder other kinds of files are passed over; what was named and cannot be looked at is a failure of its own.
 * Sorted by name within a folder.
 */
export async function findInputs(
  named: readonly string[],
): Promise<{ readonly inputs: readonly Input[]; readonly failures: readonly Failure[] }> {
  const inputs = new Map<string, Input>()
  const failures: Failure[] = []
  for (const each of named) {
    try {
      if ((await stat(each)).isDirectory()) {
        const found = await below(each)
        if (found.length === 0)
          failures.push({ file: each, reason: `${each}: no film and no picture in it (${KNOWN_ENDINGS})` })
        for (const input of found) inputs.set(input.path, input)
        continue
      }
      const kind = kindOf(each)
      if (kind) inputs.set(each, { path: each, name: each, kind })
      else
        failures.push({
          file: each,
          reason: `${each}: neither a film nor a picture by its name (${KNOWN_ENDINGS})`,
        })
    } catch (error) {
      const isAway = error instanceof Error && "code" in error && error.code === "ENOENT"
      failures.push({ file: each, reason: `${each}: ${isAway ? "no such file" : messageOf(error)}` })
    }
  }
  return { inputs: shortNames([...inputs.values()]), failures }
}

/** What was named file by file goes by its last part. Those that would be called alike go by their whole paths. */
function shortNames(inputs: readonly Input[]): readonly Input[] {
  const short = (input: Input) => (input.name === input.path ? basename(input.path) : input.name)
  const count = new Map<string, number>()
  for (const input of inputs) count.set(short(input), (count.get(short(input)) ?? 0) + 1)
  return inputs.map((input) => ({
    ...input,
    name: count.get(short(input)) === 1 ? short(input) : input.path,
  }))
}

async function below(folder: string): Promise<readonly Input[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !path
          .slice(folder.length)
          .split(/[/\\]/)
          .some((part) => part.startsWith(".")),
    )
    .sort()
    .flatMap((path) => {
      const kind = kindOf(path)
      return kind ? [{ path, name: path.slice(join(folder, "/").length), kind }] : []
    })
}

function kindOf(path: string): Input["kind"] | null {
  const ending = extname(path).toLowerCase()
  if (PICTURES.includes(ending)) return "picture"
  return FILMS.includes(ending) ? "film" : null
}
