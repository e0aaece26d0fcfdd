import { randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect } from "vitest"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { openServices, type Services } from "../../../harness/services/services.ts"
import type { StaffRegistry } from "../../../harness/services/staff/registry.ts"
import type { SupportCode } from "../../../harness/services/support/code.ts"
import type { SupportDesk } from "../../../harness/services/support/desk.ts"
import { SupportInbox } from "../../../harness/services/support/owner-inbox.ts"
import { type Asking, lookRequest } from "../../../harness/services/support/request.ts"
import { hire, type Person, Recorded } from "./people.ts"

export const REASON = "the picture is green since the update"
export const viewer = signingKeyOf(randomBytes(32))
export const refusal = (message: string) => ({ kind: "refused", message: expect.stringContaining(message) })

/** A support desk, one of its agents, and an owner who has told them a code. */
export class HelpDesk {
  now = 1_800_000_000_000
  readonly folder: string
  readonly log = new Recorded()
  services: Services
  readonly inbox: SupportInbox
  #code: SupportCode | null = null
  #agent: Person | null = null

  private constructor(folder: string) {
    this.folder = folder
    this.services = this.open()
    this.inbox = this.inboxAt("owner")
  }

  static async open(): Promise<HelpDesk> {
    const help = new HelpDesk(await mkdtemp(join(tmpdir(), "obscura-support-")))
    help.#code = await help.inbox.newCode()
    help.#agent = await help.hire("ann", "agent")
    return help
  }

  get code(): SupportCode {
    return there(this.#code)
  }

  get agent(): Person {
    return there(this.#agent)
  }

  open(of = openServices): Services {
    const logged = { append: (record: never) => this.log.record(record) }
    return of(this.folder, logged as never, () => this.now)
  }

  inboxAt(owner: string): SupportInbox {
    return new SupportInbox(join(this.folder, owner), this.desk.boxes, () => this.now)
  }

  get desk(): SupportDesk {
    return this.services.support
  }

  get staff(): StaffRegistry {
    return this.services.staff
  }

  hire(name: string, role: Parameters<StaffRegistry["add"]>[1]): Promise<Person> {
    return hire(this.staff, name, role)
  }

  asking(more: Partial<Asking> = {}): Asking {
    const { agent, code } = this
    return { ...{ name: agent.name, staff: agent.key, code, viewer, reason: REASON, seconds: 300 }, ...more }
  }

  /** Each ask half a minute after the one before: a code is good once. */
  ask(more: Partial<Asking> = {}, totp?: string, at: Pick<SupportDesk, "ask"> = this.desk) {
    this.now += 30_000
    return at.ask(lookRequest(this.asking(more)).envelope, totp ?? this.agent.code(this.now))
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }
}

function there<T>(value: T | null): T {
  if (value === null) throw new Error("not opened")
  return value
}
