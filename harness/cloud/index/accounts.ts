import { randomBytes } from "node:crypto"
import { z } from "zod"
import { Fault, isFault } from "../../../firmware/errors.ts"
import type { UnixMilliseconds } from "../../../firmware/units.ts"
import type { IndexDatabase } from "./database.ts"
import type { AccountRow, InboxMessageRow } from "./schema.ts"

/** What is paid for: support and the like. It changes no quota, which would tell it to whoever sees the bucket. */
export const PLANS = ["basic", "plus"] as const
export type Plan = (typeof PLANS)[number]

const MESSAGE_CHARACTERS_MAX = 4_000
const emailShape = z.email().max(254)
const inboxShape = z.string().regex(/^[0-9a-f]{32}$/)

/** Every line about accounts, as closed as the cloud's: an e-mail has no field to land in. */
export type AccountLine =
  | { readonly event: "account created"; readonly inbox: string }
  | { readonly event: "plan changed"; readonly inbox: string }
  | { readonly event: "account removed"; readonly inbox: string }
  | { readonly event: "message left"; readonly inbox: string }

export interface AccountLog {
  write(line: AccountLine): void
}

/**
 * The half of the index that knows e-mails. Nothing here takes or gives a device: who writes to a customer leaves it in an
 * inbox, and what the customer's app makes of it is the app's.
 *
 * Every method rejects with Faults as the database does, and with "usage" or "refused" as it says. No message repeats an
 * e-mail.
 */
export class Accounts {
  readonly #database: IndexDatabase
  readonly #log: AccountLog
  readonly #now: () => UnixMilliseconds

  constructor(database: IndexDatabase, log: AccountLog, now: () => UnixMilliseconds = Date.now) {
    this.#database = database
    this.#log = log
    this.#now = now
  }

  /** Fault "refused": there is one. */
  async create(email: string, plan: Plan): Promise<AccountRow> {
    const inbox = randomBytes(16).toString("hex")
    const since = new Date(this.#now()).toISOString().slice(0, 10)
    const account: AccountRow = { email: emailOf(email), plan, inbox, since }
    try {
      await this.#database.change((db) => db.insertInto("accounts").values(account).execute())
    } catch (cause) {
      if (!isFault(cause, "refused")) throw cause
      throw new Fault("refused", "this e-mail has an account already", { cause })
    }
    this.#log.write({ event: "account created", inbox })
    return account
  }

  /** Fault "usage": there is none. */
  async find(email: string): Promise<AccountRow> {
    const account = await this.#database.read((db) =>
      db.selectFrom("accounts").selectAll().where("email", "=", emailOf(email)).executeTakeFirst(),
    )
    if (!account) throw new Fault("usage", "this e-mail has no account")
    return account
  }

  /** Fault "usage": there is none. */
  async setPlan(email: string, plan: Plan): Promise<void> {
    const { inbox } = await this.find(email)
    await this.#database.change((db) =>
      db.updateTable("accounts").set({ plan }).where("inbox", "=", inbox).execute(),
    )
    this.#log.write({ event: "plan changed", inbox })
  }

  /** With all that lies in its inbox. Clips are not the account's: their owner deletes them. Fault "usage": there is none. */
  async remove(email: string): Promise<void> {
    const { inbox } = await this.find(email)
    await this.#database.change(async (db) => {
      await db.deleteFrom("inbox_messages").where("inbox", "=", inbox).execute()
      await db.deleteFrom("accounts").where("inbox", "=", inbox).execute()
    })
    this.#log.write({ event: "account removed", inbox })
  }

  /** Leaves `text` in the account's inbox. Fault "usage": there is no account, or the text is empty or too long. */
  async leave(email: string, text: string): Promise<void> {
    if (text.trim() === "" || text.length > MESSAGE_CHARACTERS_MAX)
      throw new Fault("usage", `a message has 1 to ${MESSAGE_CHARACTERS_MAX} characters`)
    const { inbox } = await this.find(email)
    const message = randomBytes(16).toString("hex")
    const row: InboxMessageRow = { message, inbox, sent: this.#now(), text }
    await this.#database.change((db) => db.insertInto("inbox_messages").values(row).execute())
    this.#log.write({ event: "message left", inbox })
  }

  /** Oldest first. Who knows the inbox may read it; who does not learns nothing, not even whether there is one. */
  async inbox(inbox: string): Promise<readonly InboxMessageRow[]> {
    if (!inboxShape.safeParse(inbox).success)
      throw new Fault("usage", "an inbox has 32 hex digits, as account create printed them")
    return this.#database.read((db) =>
      db
        .selectFrom("inbox_messages")
        .selectAll()
        .where("inbox", "=", inbox)
        .orderBy("sent")
        .orderBy("message")
        .execute(),
    )
  }
}

/** One spelling. @throws Fault "usage", definite, without the text. */
function emailOf(text: string): string {
  const parsed = emailShape.safeParse(text.trim().toLowerCase())
  if (!parsed.success) throw new Fault("usage", "that is no e-mail address")
  return parsed.data
}
