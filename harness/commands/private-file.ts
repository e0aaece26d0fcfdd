import { writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { makeFolder } from "../../hardware/make-folder.ts"

/**
 * For its owner alone, mode 0600. Its folder is made for it: whoever has nothing to write leaves nothing behind.
 * @throws Fault "usage", definite: it cannot be written.
 */
export async function writePrivate(path: string, bytes: string | Uint8Array): Promise<void> {
  await makeFolder(dirname(path))
  try {
    await writeFile(path, bytes, { mode: 0o600 })
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be written (${messageOf(cause)})`, { cause })
  }
}
