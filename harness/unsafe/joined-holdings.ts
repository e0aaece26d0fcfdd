import { sha256Hex } from "../../firmware/control/keys.ts"
import type { Holding } from "../cloud/index/join-graph.ts"

/**
 * What a cloud would hold that made one of the mistakes by which e-mail and clip were joined before: each takes what an
 * honest cloud holds, and the check of C3 must find its way through every one.
 */
export const JOINS: Readonly<Record<string, (holdings: readonly Holding[]) => readonly Holding[]>> = {
  "an account column in a clip's row": (holdings) =>
    withColumn(holdings, "table clip_objects", { account: first(holdings, "table accounts", "inbox") }),
  "an account's number, counted from one, in both tables": (holdings) =>
    withColumn(withColumn(holdings, "table accounts", { account_id: 1 }), "table clip_objects", {
      owner_id: 1,
    }),
  "a hash of the e-mail in a clip's row": (holdings) =>
    withColumn(holdings, "table clip_objects", {
      customer: sha256Hex(Buffer.from(first(holdings, "table accounts", "email"))),
    }),
  "an e-mail in a line about a camera": (holdings) => [
    ...holdings,
    line({
      event: "connected",
      client: first(holdings, "table clip_objects", "device"),
      reason: `support for ${first(holdings, "table accounts", "email")}`,
    }),
  ],
  "one session for the account and for the camera": (holdings) => [
    ...holdings,
    { source: "session", record: { session: "s-7f3k21", email: first(holdings, "table accounts", "email") } },
    {
      source: "session",
      record: { session: "s-7f3k21", client: first(holdings, "table clip_objects", "device") },
    },
  ],
  "the beginning of a device id in a message to a customer": (holdings) =>
    withColumn(holdings, "table inbox_messages", {
      text: `About your camera ${first(holdings, "table clip_objects", "device").slice(0, 12)}.`,
    }),
  "a third table that knows both": (holdings) => [
    ...holdings,
    {
      source: "table devices_of_inbox",
      record: {
        inbox: first(holdings, "table accounts", "inbox"),
        device: first(holdings, "table clip_objects", "device"),
      },
    },
  ],
}

function withColumn(
  holdings: readonly Holding[],
  source: string,
  column: Readonly<Record<string, unknown>>,
): readonly Holding[] {
  let done = false
  return holdings.map((holding) => {
    if (done || holding.source !== source) return holding
    done = true
    return { source, record: { ...(holding.record as object), ...column } }
  })
}

function line(record: unknown): Holding {
  return { source: "cloud.log", record: JSON.stringify(record) }
}

function first(holdings: readonly Holding[], source: string, column: string): string {
  const row = holdings.find((holding) => holding.source === source)?.record as Readonly<
    Record<string, unknown>
  >
  return String(row[column])
}
