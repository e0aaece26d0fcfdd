import { randomBytes } from "node:crypto"
import { z } from "zod"
import { sign } from "../../../firmware/control/dsse.ts"
import { publicKeyFromHex, type SigningKey, sha256Hex } from "../../../firmware/control/keys.ts"
import { objectId, sha256 } from "../../../firmware/control/protocol.ts"
import { Fault } from "../../../firmware/errors.ts"
import { type Milliseconds, minutes, type UnixMilliseconds } from "../../../firmware/units.ts"
import type { ServiceFolder } from "../service-folder.ts"
import { type Staff, type StaffRegistry, staffName } from "./registry.ts"

const SESSION_FOR: Milliseconds = minutes(60)
const FILE = "sessions.json"

const loginShape = z.strictObject({
  for: z.literal("session"),
  name: staffName,
  key: sha256,
  nonce: objectId,
})
const sessionsShape = z.strictObject({
  format: z.literal(1),
  /** Of the token its hash: who reads this file is not let in by it. */
  sessions: z.array(z.strictObject({ token: sha256, name: staffName, key: sha256, until: z.number() })),
})

export const loginRequest = (name: string, key: SigningKey): Uint8Array =>
  sign("staff-request", { for: "session", name, key: key.hex, nonce: randomBytes(16).toString("hex") }, key)

/** For work that takes many commands: both factors once, then a token for an hour. */
export class Sessions {
  readonly #folder: ServiceFolder
  readonly #staff: StaffRegistry
  readonly #now: () => UnixMilliseconds

  constructor(folder: ServiceFolder, staff: StaffRegistry, now: () => UnixMilliseconds = Date.now) {
    this.#folder = folder
    this.#staff = staff
    this.#now = now
  }

  /** The token, 64 hex digits. Secret. @throws as `StaffRegistry.admit`. */
  async begin(login: Uint8Array, code: string): Promise<string> {
    const { staff } = await this.#staff.admit(login, loginShape, code)
    const token = randomBytes(32).toString("hex")
    const session = {
      token: hashOf(token),
      name: staff.name,
      key: staff.key.hex,
      until: this.#now() + SESSION_FOR,
    }
    await this.#folder.inTurn(async () => {
      const others = (await this.#read()).filter(({ until }) => until > this.#now())
      await this.#folder.keep(FILE, { format: 1, sessions: [...others, session] })
    })
    await this.#staff.note(staff, "logged in")
    return token
  }

  /** @throws Fault "refused", definite: no such session, or its hour is over, or they have left. */
  async of(token: string): Promise<Staff> {
    const session = (await this.#read()).find((each) => each.token === hashOf(token))
    if (session === undefined || session.until <= this.#now()) {
      const why = "nobody is logged in with that token, or not any more"
      await this.#staff.note(null, `refused: ${why}`)
      throw new Fault("refused", why)
    }
    const person = { name: session.name, key: publicKeyFromHex(session.key) }
    return { ...person, role: await this.#staff.roleOf(person) }
  }

  async #read(): Promise<z.infer<typeof sessionsShape>["sessions"]> {
    return (await this.#folder.state(FILE, sessionsShape, { format: 1, sessions: [] })).sessions
  }
}

const hashOf = (token: string): string => sha256Hex(Buffer.from(token))
