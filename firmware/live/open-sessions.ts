import { z } from "zod"
import { fromJson, toJson } from "../control/json.ts"
import { objectId } from "../control/protocol.ts"
import type { Disk } from "../ports.ts"

const NAME = "live"
const shape = z.strictObject({ version: z.literal(1), sessions: z.array(objectId).max(64) })

/** Which sessions run, where a power cut does not reach: the next boot says in the chain that they have ended. */
export class OpenSessions {
  readonly #disk: Disk
  #sessions: readonly string[] = []

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** Those of the last boot. @throws Fault "malformed", definite: a damaged file. */
  async left(): Promise<readonly string[]> {
    const stored = await this.#disk.private.get(NAME)
    return stored ? fromJson(stored, shape, "live sessions", 4_096).sessions : []
  }

  /** Durable when it resolves. @throws Fault "full", definite. */
  async add(session: string): Promise<void> {
    await this.#write([...this.#sessions, session])
  }

  async remove(session: string): Promise<void> {
    await this.#write(this.#sessions.filter((each) => each !== session))
  }

  async clear(): Promise<void> {
    await this.#write([])
  }

  async #write(sessions: readonly string[]): Promise<void> {
    if (sessions.length === 0) await this.#disk.private.remove(NAME)
    else await this.#disk.private.put(NAME, [toJson({ version: 1, sessions })])
    this.#sessions = sessions
  }
}
