import { open, rm } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { ZodType } from "zod"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { type Bytes, MiB, type Milliseconds, seconds } from "../../firmware/units.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { lockFolder, type Unlock } from "../cloud/bucket-lock.ts"
import { FolderFiles } from "../owner/folder-files.ts"

const STATE_BYTES_MAX: Bytes = 64 * MiB
const TURN_WITHIN: Milliseconds = seconds(10)
const TRY_EVERY: Milliseconds = 15

/** What one service keeps: small private files, changed by one command at a time. Failures are Fault "usage", definite. */
export class ServiceFolder {
  readonly directory: string
  readonly #files: FolderFiles

  constructor(directory: string) {
    this.directory = directory
    this.#files = new FolderFiles(directory)
  }

  /** Runs `task` while no other command changes this folder. @throws Fault "unavailable", definite: one never ends. */
  async inTurn<T>(task: () => Promise<T>): Promise<T> {
    await makeFolder(this.directory)
    const unlock = await this.#turn()
    try {
      return await task()
    } finally {
      await unlock()
    }
  }

  async #turn(): Promise<Unlock> {
    for (let waited = 0; ; waited += TRY_EVERY) {
      try {
        return await lockFolder(this.directory)
      } catch (cause) {
        const message = `${this.directory}: another command holds it (${messageOf(cause)})`
        if (!isFault(cause, "usage") || waited >= TURN_WITHIN)
          throw new Fault("unavailable", message, { cause })
        await sleep(TRY_EVERY)
      }
    }
  }

  /** `none` where there is no such file yet. @throws Fault "malformed", definite: damaged. */
  async state<T>(name: string, shape: ZodType<T>, none: T): Promise<T> {
    const bytes = await this.#files.read(name)
    return bytes === null ? none : fromJson(bytes, shape, name, STATE_BYTES_MAX)
  }

  keep(name: string, state: unknown): Promise<void> {
    return this.#files.replace(name, toJson(state))
  }

  read(name: string): Promise<Buffer | null> {
    return this.#files.read(name)
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    return this.#files.replace(name, bytes)
  }

  append(name: string, text: string): Promise<void> {
    return this.#files.append(name, text)
  }

  /** All names in a folder of it, also what a crash left half written; sorted, none where there is none. */
  async names(folder: string): Promise<readonly string[]> {
    return [...(await this.#files.names(folder))].sort()
  }

  /** Zeros over the file, synced, then it goes. One that is not there is fine. */
  async erase(name: string): Promise<void> {
    const path = join(this.directory, name)
    try {
      const file = await open(path, "r+")
      try {
        const { size } = await file.stat()
        await file.write(Buffer.alloc(size), 0, size, 0)
        await file.datasync()
      } finally {
        await file.close()
      }
      await rm(path)
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return
      throw new Fault("usage", `${path}: cannot be erased (${messageOf(cause)})`, { cause })
    }
  }
}
