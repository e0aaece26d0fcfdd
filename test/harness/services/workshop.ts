import { randomBytes } from "node:crypto"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect } from "vitest"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { type Consent, serviceIdOf, signConsent } from "../../../harness/services/labelling/consent.ts"
import { type Offer, OwnerConsents } from "../../../harness/services/labelling/owner-consents.ts"
import { Policies } from "../../../harness/services/labelling/policy.ts"
import { filmCopy } from "../../../harness/services/offering/film-copy.ts"
import { newObject } from "../../../harness/services/offering/new-object.ts"
import { openServices, type Services } from "../../../harness/services/services.ts"
import type { RoleName } from "../../../harness/services/staff/roles.ts"
import { loginRequest } from "../../../harness/services/staff/sessions.ts"
import { clipOf } from "./clips.ts"
import { hire, Recorded } from "./people.ts"

export const DAY = 24 * 3_600_000
export const CAMERA = "ab".repeat(20)
export const clip = await clipOf("day-person")
export const film = filmCopy(clip).bytes
export const otherFilm = filmCopy(await clipOf("day-dog")).bytes
export const keys = await OwnerKeys.create()

export const refusal = (message: string) => ({ kind: "refused", message: expect.stringContaining(message) })

/** A labelling service, an owner with one camera outdoors, and a labeller who has logged in. */
export class Workshop {
  now = 1_800_000_000_000
  readonly folder: string
  readonly log = new Recorded()
  readonly consents: OwnerConsents
  services: Services
  token = ""

  private constructor(folder: string) {
    this.folder = folder
    this.consents = new OwnerConsents(join(folder, "owner"), keys)
    this.services = this.open()
  }

  static async open(): Promise<Workshop> {
    const shop = new Workshop(await mkdtemp(join(tmpdir(), "obscura-labelling-")))
    await new Policies(join(shop.folder, "owner")).keep(CAMERA, { place: "outdoor", labelling: "ask" })
    shop.token = await shop.login("lea")
    return shop
  }

  open(of = openServices): Services {
    const logged = { append: (record: never) => this.log.record(record) }
    return of(this.folder, logged as never, () => this.now)
  }

  get intake() {
    return this.services.labelling.intake
  }

  get workplace() {
    return this.services.labelling.workplace
  }

  async login(name: string, role: RoleName = "labeller"): Promise<string> {
    const person = await hire(this.services.staff, name, role)
    return this.services.sessions.begin(loginRequest(name, person.key), person.code(this.now))
  }

  async identity() {
    return this.services.labelling.store.identity()
  }

  terms(more: Partial<Offer> = {}): Offer {
    const expires = this.now + 7 * DAY
    return { device: CAMERA, film, changed: [], purpose: "train recognition", expires, ...more }
  }

  /** As the owner's app does. Gives the object's id. */
  async offer(more: Partial<Offer> = {}): Promise<string> {
    return this.consents.offer(this.terms(more), await this.identity(), this.intake)
  }

  /** Consent and file as somebody makes them by hand. */
  async byHand(of: Uint8Array, more: Partial<Omit<Consent, "key">> = {}) {
    const key = signingKeyOf(randomBytes(32))
    const { recipient } = await this.identity()
    const { id: object, file, hash } = await newObject(of, recipient)
    const terms = {
      object,
      file: hash,
      service: serviceIdOf(recipient),
      purpose: "train recognition",
    } as const
    const rest = { place: "outdoor" as const, changed: [], expires: this.now + DAY }
    return { object, key, file, envelope: signConsent({ ...terms, ...rest, ...more }, key) }
  }

  mailboxOf(object: string): string {
    return keys.signingKeyForOffer(object).id
  }

  path(...names: readonly string[]): string {
    return join(this.folder, "services", "labelling", ...names)
  }

  /** Everything that the service keeps, but for its key. */
  async everyFile(): Promise<readonly string[]> {
    const names = await readdir(this.path(), { recursive: true, withFileTypes: true })
    const files = names.filter((each) => each.isFile() && each.name !== "keys.json")
    return Promise.all(
      files.map(
        async ({ parentPath, name }) => `${name} ${await readFile(join(parentPath, name), "latin1")}`,
      ),
    )
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }
}
