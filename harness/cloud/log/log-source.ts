import { join } from "node:path"
import { logFault, privateFolder, publicFolder, readIfThere } from "./log-disk.ts"
import { CHECKPOINT } from "./log-state.ts"
import type { MailboxEntry } from "./mailboxes.ts"
import { readMailbox } from "./mailboxes.ts"
import type { ReadTile } from "./tiles.ts"

/** A log as those see it who do not trust it. Nothing that it gives is believed. */
export interface LogSource {
  /** null: there is none. */
  checkpoint(): Promise<Uint8Array | null>
  readonly tile: ReadTile
  /** In the order in which the log gives them; also entries that no checkpoint covers yet. */
  mailbox(device: string): Promise<readonly MailboxEntry[]>
}

/** A log in a folder, also beside a cloud that runs. Rejects with Fault "usage", definite: not readable. */
export function folderSource(directory: string): LogSource {
  const translated = async <T>(reading: Promise<T>): Promise<T> => {
    try {
      return await reading
    } catch (error) {
      throw logFault(error, directory)
    }
  }
  return {
    checkpoint: () => translated(readIfThere(join(publicFolder(directory), CHECKPOINT))),
    tile: (path) => translated(readIfThere(join(publicFolder(directory), path))),
    mailbox: (device) => translated(readMailbox(privateFolder(directory), device)),
  }
}
