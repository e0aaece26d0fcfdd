import { constants, open } from "node:fs"
import { mkdir, rm } from "node:fs/promises"
import { Socket } from "node:net"
import { join } from "node:path"
import { promisify } from "node:util"
import { eachLine } from "../lines.ts"
import { ask } from "./process.ts"

/** A named pipe through which rpicam-vid tells when pictures were taken: times, and nothing of the pictures. */
export interface TimestampsFifo {
  readonly path: string
  /** Also removes it. */
  close(): Promise<void>
}

/**
 * Makes the pipe anew and reads it. Opened for reading and writing: to open one end alone waits for the other (fifo(7)),
 * and rpicam-vid may end before it gets there.
 *
 * @throws what the system or mkfifo says; video does without.
 */
export async function openTimestampsFifo(
  runtimeDirectory: string,
  env: NodeJS.ProcessEnv,
  onLine: (line: string) => void,
): Promise<TimestampsFifo> {
  const path = join(runtimeDirectory, "picture-times")
  await mkdir(runtimeDirectory, { recursive: true })
  await rm(path, { force: true })
  await ask("mkfifo", ["-m", "600", path], env)
  const descriptor = await promisify(open)(path, constants.O_RDWR | constants.O_NONBLOCK)
  const reader = new Socket({ fd: descriptor, readable: true, writable: false })
  // No times come any more then, which shows in the pairing.
  reader.on("error", () => reader.destroy())
  eachLine(reader, onLine)
  return {
    path,
    async close() {
      const closed = new Promise((resolve) => reader.once("close", resolve))
      reader.destroy()
      await closed
      await rm(path, { force: true })
    },
  }
}
