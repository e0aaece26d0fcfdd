import type { Bytes, UnixMilliseconds } from "../../../firmware/units.ts"

/**
 * Two halves that share a database and nothing else: no row has both an account and a device, and no column of one half is
 * a key of the other. What starts from an e-mail ends in that account's inbox; whose inbox goes with which cameras, only
 * the owner's app knows. `join-graph.ts` looks for a path all the same, by values.
 *
 * Every key is a random text of 128 bits or an e-mail, never a count: row 17 here and row 17 there would be a path.
 */
export interface Tables {
  readonly accounts: AccountRow
  readonly inbox_messages: InboxMessageRow
  readonly clip_objects: ClipObjectRow
}

export interface AccountRow {
  /** In lower case. */
  readonly email: string
  readonly plan: string
  /** 32 hex digits. Whoever knows it may read what lies there. */
  readonly inbox: string
  /** The day, YYYY-MM-DD: a time to the millisecond could be matched with another. */
  readonly since: string
}

export interface InboxMessageRow {
  /** 32 hex digits. */
  readonly message: string
  readonly inbox: string
  readonly sent: UnixMilliseconds
  readonly text: string
}

/** One sealed object that the bucket holds. Replayed from the bucket, which is the truth. */
export interface ClipObjectRow {
  readonly object: string
  readonly clip: string
  readonly device: string
  readonly bytes: Bytes
  readonly arrived: UnixMilliseconds
}
