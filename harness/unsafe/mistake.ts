import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Fault } from "../../firmware/errors.ts"

/** In the file at `path`, from the repository's root, the text `from`, which is there exactly once, becomes `to`. */
export interface Patch {
  readonly path: string
  readonly from: string
  readonly to: string
}

/** Something that obscura exists to make impossible, as a change of its source. */
export interface Mistake {
  readonly id: string
  /** The id of the check that must find it. */
  readonly check: string
  /** In words, as what a system does that makes it. */
  readonly says: string
  readonly patches: readonly Patch[]
}

export const ROOT = new URL("../../", import.meta.url)

/** @throws Fault "broken": the source has moved on, so that the mistake would be none. */
export function checkPatches({ id, patches }: Mistake): void {
  for (const { path, from } of patches) {
    const times = readFileSync(fileURLToPath(new URL(path, ROOT)), "utf8").split(from).length - 1
    if (times !== 1)
      throw new Fault("broken", `mistake ${id}: "${from}" is ${times} times in ${path}, not once`)
  }
}
