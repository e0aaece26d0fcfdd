import { access, constants, readdir, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { makeFolder } from "../../hardware/make-folder.ts"

const PAGE = "recognise.html"
const RESULT = "recognise.json"

/**
 * Where a run is kept: for its user alone, because pictures are in it. `out` is a new folder, an empty one, or one that
 * another run has made; without it, `recognised/<date>-<time>` here.
 * @throws Fault "usage", definite, before anything is looked at.
 */
export async function makeOutFolder(out: string | undefined, now: Date): Promise<string> {
  const stamp = now.toISOString().slice(0, 19).replace("T", "-").replaceAll(":", "")
  const folder = resolve(out ?? join("recognised", stamp))
  await makeFolder(folder)
  try {
    const names = await readdir(folder)
    if (names.length > 0 && !names.includes(RESULT))
      throw new Fault("usage", "it is not empty; choose another --out, or empty it")
    await access(folder, constants.W_OK)
    return folder
  } catch (cause) {
    throw new Fault("usage", `${folder}: ${messageOf(cause)}`, { cause })
  }
}

/** @throws Fault "usage", definite: the folder cannot be written any more. */
export async function writeRun(
  folder: string,
  page: string,
  result: string,
): Promise<{ readonly page: string; readonly result: string }> {
  const paths = { page: join(folder, PAGE), result: join(folder, RESULT) }
  try {
    await writeFile(paths.page, page, { mode: 0o600 })
    await writeFile(paths.result, result, { mode: 0o600 })
    return paths
  } catch (cause) {
    throw new Fault("usage", `${folder}: cannot be written (${messageOf(cause)}); choose another --out`, {
      cause,
    })
  }
}
