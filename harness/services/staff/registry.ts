import { randomBytes } from "node:crypto"
import { base32nopad } from "@scure/base"
import { z } from "zod"
import { verifySelfSigned } from "../../../firmware/control/dsse.ts"
import { type PublicKey, publicKeyFromHex } from "../../../firmware/control/keys.ts"
import { sha256 } from "../../../firmware/control/protocol.ts"
import { Fault } from "../../../firmware/errors.ts"
import { type Milliseconds, minutes, type UnixMilliseconds } from "../../../firmware/units.ts"
import type { ServiceFolder } from "../service-folder.ts"
import { ROLE_NAMES, type RoleName } from "./roles.ts"
import { otpauthUri, SECRET_BYTES, stepOf } from "./totp.ts"

const FAILURES_MAX = 5
const LOCKED_FOR: Milliseconds = minutes(15)

export const staffName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,30}$/, "2 to 31 of a-z, 0-9 and -, a letter first")

const personShape = z.strictObject({
  name: staffName,
  role: z.enum(ROLE_NAMES as [RoleName, ...RoleName[]]),
  /** Ed25519: the first factor is its secret half, on their own machine. */
  key: sha256,
  secondFactor: z
    .strictObject({
      secret: z.string().regex(/^[A-Z2-7]{32}$/),
      /** Of the newest code that was accepted: none is good twice, and no older one. */
      step: z.int(),
      failures: z.int().min(0),
      lockedUntil: z.int(),
    })
    .nullable(),
})
type Person = z.infer<typeof personShape>
const stateShape = z.strictObject({ format: z.literal(1), staff: z.array(personShape).max(10_000) })

/** Somebody who has shown both factors. */
export interface Staff {
  readonly name: string
  readonly role: RoleName
  readonly key: PublicKey
}

/** What staff sign when they ask for something; what it is, the rest says. */
export interface StaffRequest {
  readonly name: string
  readonly key: string
}

const FILE = "staff.json"

/**
 * Who works here, and in which role. It proves who asks and decides what they may ask for; what they may see, owners
 * decide elsewhere. Whoever has this folder can make themselves anybody in it, and gains nothing by that.
 */
export class StaffRegistry {
  readonly #folder: ServiceFolder
  readonly #now: () => UnixMilliseconds

  constructor(folder: ServiceFolder, now: () => UnixMilliseconds = Date.now) {
    this.#folder = folder
    this.#now = now
  }

  /** Without a second factor yet. @throws Fault "usage", definite: the name is taken, or not a name; a key that is none. */
  async add(name: string, role: RoleName, key: PublicKey): Promise<void> {
    if (!staffName.safeParse(name).success) throw new Fault("usage", "a name has 2 to 31 of a-z, 0-9 and -")
    await this.#change((staff) => {
      if (staff.some((each) => each.name === name))
        throw new Fault("usage", `${name} is on the staff already`)
      return [...staff, { name, role, key: key.hex, secondFactor: null }]
    })
    await this.note({ name, role }, "put on the staff")
  }

  /** A new second factor, as an authenticator app reads it. Secret; shown once. @throws Fault "usage": nobody is called so. */
  async enrol(name: string): Promise<string> {
    const secret = randomBytes(SECRET_BYTES)
    const secondFactor = { secret: base32nopad.encode(secret), step: -1, failures: 0, lockedUntil: 0 }
    await this.note(
      await this.#replace(name, (person) => ({ ...person, secondFactor })),
      "a new second factor",
    )
    return otpauthUri(name, secret)
  }

  /** @throws Fault "usage", definite: nobody is called so. */
  async remove(name: string): Promise<void> {
    await this.note(await this.#replace(name, () => null), "taken off the staff")
  }

  async list(): Promise<readonly Pick<Person, "name" | "role" | "secondFactor">[]> {
    return (await this.#read()).staff
  }

  /**
   * Both factors: the request's signature by the key that is registered, and a code that was never used.
   * @throws Fault "refused", definite, and in the journal; Fault "malformed", definite: no such request.
   */
  async admit<T extends StaffRequest>(
    envelope: Uint8Array,
    shape: z.ZodType<T>,
    code: string,
  ): Promise<{ readonly staff: Staff; readonly body: T }> {
    const { body, key } = verifySelfSigned("staff-request", envelope, shape, (named) =>
      publicKeyFromHex(named.key),
    )
    const role = await this.#folder.inTurn(async () => {
      const { staff } = await this.#read()
      const person = staff.find((each) => each.name === body.name)
      if (person === undefined || person.key !== key.hex)
        throw await this.#refusal(null, "not on the staff, or not by their key")
      const { next, why } = withCode(person, code, this.#now())
      await this.#keep(replaced(staff, next))
      if (why !== null) throw await this.#refusal(person, why)
      return person.role
    })
    return { staff: { name: body.name, role, key }, body }
  }

  /** Who somebody is now: they may have gone since they began. @throws Fault "refused", definite. */
  async roleOf({ name, key }: Pick<Staff, "name" | "key">): Promise<RoleName> {
    // By the key too: whoever is called so now may be somebody else.
    const person = (await this.#read()).staff.find((each) => each.name === name && each.key === key.hex)
    if (person === undefined) throw await this.#refusal(null, "not on the staff any more")
    return person.role
  }

  /** What staff did or were refused, for whoever supervises them. It names no owner, camera or clip. */
  async note(who: Pick<Person, "name" | "role"> | null, what: string): Promise<void> {
    const { name, role } = who ?? { name: null, role: null }
    await this.#folder.append("journal", `${JSON.stringify({ at: this.#now(), name, role, what })}\n`)
  }

  /** What a crash has left half written goes: there are second factors in it. */
  async sweep(): Promise<void> {
    if ((await this.#folder.names(".")).length > 0)
      await this.#folder.inTurn(() => this.#folder.eraseHalfWritten())
  }

  async #refusal(person: Person | null, why: string): Promise<Fault> {
    await this.note(person, `refused: ${why}`)
    return new Fault("refused", why)
  }

  #read(): Promise<z.infer<typeof stateShape>> {
    return this.#folder.state(FILE, stateShape, { format: 1, staff: [] })
  }

  #keep(staff: readonly Person[]): Promise<void> {
    return this.#folder.keep(FILE, { format: 1, staff })
  }

  async #change(work: (staff: readonly Person[]) => readonly Person[]): Promise<void> {
    await this.#folder.inTurn(async () => this.#keep(work((await this.#read()).staff)))
  }

  /** Gives who it was. */
  async #replace(name: string, change: (person: Person) => Person | null): Promise<Person> {
    let found: Person | undefined
    await this.#change((staff) => {
      const person = staff.find((each) => each.name === name)
      if (person === undefined) throw new Fault("usage", `nobody on the staff is called ${name}`)
      found = person
      const next = change(person)
      return next === null ? staff.filter((each) => each !== person) : replaced(staff, next)
    })
    if (found === undefined) throw new Fault("broken", "a change of nobody")
    return found
  }
}

function replaced(staff: readonly Person[], person: Person): readonly Person[] {
  return staff.map((each) => (each.name === person.name ? person : each))
}

/** The person after they have shown `code`, and why it is not accepted; null: it is. */
function withCode(
  person: Person,
  code: string,
  now: UnixMilliseconds,
): { readonly next: Person; readonly why: string | null } {
  const factor = person.secondFactor
  if (factor === null) return { next: person, why: "no second factor: staff without one ask for nothing" }
  if (now < factor.lockedUntil) return { next: person, why: "locked after too many wrong codes" }
  const step = stepOf(code, base32nopad.decode(factor.secret), now)
  if (step !== null && step > factor.step)
    return { next: { ...person, secondFactor: { ...factor, step, failures: 0 } }, why: null }
  const failures = (factor.failures + 1) % FAILURES_MAX
  const lockedUntil = failures === 0 ? now + LOCKED_FOR : factor.lockedUntil
  const next = { ...person, secondFactor: { ...factor, failures, lockedUntil } }
  return { next, why: step === null ? "a wrong code" : "a code that was used before" }
}
