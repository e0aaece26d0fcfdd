import { type FileHandle, open, readdir, rm, rmdir, stat } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { ZodType } from "zod"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { type Bytes, MiB, type Milliseconds, seconds, type UnixMilliseconds } from "../../firmware/units.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { isTooLongToLock, lockFolder, type Unlock } from "../cloud/bucket-lock.ts"
import { syncDirectory } from "../cloud/bucket-volume.ts"
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

  /**
   * Runs `task` while no other command changes this folder.
   * @throws Fault "unavailable", definite: another one never ends; "usage", definite: no such folder can be used.
   */
  async inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (isTooLongToLock(this.directory))
      throw new Fault("usage", `${this.directory}: the path is too long; choose a folder with a shorter one`)
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

  /** Durable when it resolves. @throws Fault "full", definite: more than `state` reads; what was kept stays. */
  async keep(name: string, state: unknown): Promise<void> {
    const bytes = toJson(state)
    if (bytes.length > STATE_BYTES_MAX)
      throw new Fault("full", `${name}: this service knows too much already`)
    await this.put(name, bytes)
  }

  read(name: string): Promise<Buffer | null> {
    return this.#files.read(name)
  }

  /** Durable when it resolves: what a power cut took back would come back. */
  async put(name: string, bytes: Uint8Array): Promise<void> {
    await this.#files.replace(name, bytes)
    await syncDirectory(dirname(join(this.directory, name)))
  }

  /** To be read piece by piece; whoever has it closes it. null: there is none. */
  async opened(name: string): Promise<FileHandle | null> {
    const path = join(this.directory, name)
    try {
      return await open(path, "r")
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null
      throw new Fault("usage", `${path}: cannot be read (${messageOf(cause)})`, { cause })
    }
  }

  append(name: string, text: string): Promise<void> {
    return this.#files.append(name, text)
  }

  /** All names in a folder of it, also what a crash left half written; sorted, none where there is none. */
  async names(folder: string): Promise<readonly string[]> {
    return [...(await this.#files.names(folder))].sort()
  }

  /** Erases what in `folder` was written before `time`, and the folders in it that are empty then; in turn. */
  async eraseOlder(folder: string, time: UnixMilliseconds): Promise<void> {
    for (const inner of await this.names(folder)) {
      const names = await this.names(join(folder, inner))
      for (const name of names) {
        const path = join(folder, inner, name)
        if ((await stat(join(this.directory, path))).mtimeMs < time) await this.erase(path)
      }
      if ((await this.names(join(folder, inner))).length === 0)
        await rmdir(join(this.directory, folder, inner))
    }
  }

  /** Erases what a crash left half written, wherever in it; in turn. */
  async eraseHalfWritten(): Promise<void> {
    const all = await readdir(this.directory, { recursive: true, withFileTypes: true }).catch((cause) => {
      throw new Fault("usage", `${this.directory}: cannot be read (${messageOf(cause)})`, { cause })
    })
    for (const each of all)
      if (each.isFile() && each.name.endsWith(".new"))
        await this.erase(join(relative(this.directory, each.parentPath), each.name))
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
      await syncDirectory(dirname(path))
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return
      throw new Fault("usage", `${path}: cannot be erased (${messageOf(cause)})`, { cause })
    }
  }
}
