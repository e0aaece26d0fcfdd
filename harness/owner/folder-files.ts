import { randomBytes } from "node:crypto"
import { appendFile, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { makeFolder } from "../../hardware/make-folder.ts"

/** Small private files under one folder, mode 0600. Every failure is Fault "usage", definite, and names the file. */
export class FolderFiles {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** null: there is none. */
  async read(name: string): Promise<Buffer | null> {
    try {
      return await readFile(join(this.#directory, name))
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR"))
        return null
      throw fault(join(this.#directory, name), "read", cause)
    }
  }

  /** What is in a folder of it; nothing where there is no such folder. */
  async names(folder: string): Promise<readonly string[]> {
    try {
      return await readdir(join(this.#directory, folder))
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return []
      throw fault(join(this.#directory, folder), "read", cause)
    }
  }

  /**
   * Whole and durable before it has the name: after a power cut an empty file would be a damaged record. By a name of
   * its own until then, for two commands may look at once.
   */
  async replace(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#directory, name)
    await makeFolder(dirname(path))
    const fresh = `${path}.${randomBytes(6).toString("hex")}.new`
    try {
      await writeFile(fresh, bytes, { mode: 0o600, flush: true })
      await rename(fresh, path)
    } catch (cause) {
      // On a full disk each try would leave a piece, of a key too. Why it failed says more than why that stays.
      await rm(fresh, { force: true }).catch(() => undefined)
      throw fault(path, "written", cause)
    }
  }

  async append(name: string, text: string): Promise<void> {
    const path = join(this.#directory, name)
    await makeFolder(dirname(path))
    try {
      await appendFile(path, text, { mode: 0o600 })
    } catch (cause) {
      throw fault(path, "written", cause)
    }
  }
}

function fault(path: string, what: "read" | "written", cause: unknown): Fault {
  return new Fault("usage", `${path}: cannot be ${what} (${messageOf(cause)})`, { cause })
}
