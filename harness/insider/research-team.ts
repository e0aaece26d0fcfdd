import { readFile } from "node:fs/promises"
import { NO_MANIFEST } from "../../firmware/control/protocol.ts"
import { Tries } from "../checks/check.ts"
import { openBeats } from "../cloud/beats.ts"
import { holdingsOf, pathFromAccountToClip } from "../cloud/index/holdings.ts"
import { describePath } from "../cloud/index/join-graph.ts"
import { searchPlain } from "../load/plain-search.ts"
import { objectsIn, opens, plainIn } from "./sealed-objects.ts"
import { identitiesOf, seedsOf, serverKeys } from "./server-secrets.ts"
import type { Insider, World } from "./world.ts"

/** Has the whole bucket, the database and every server key, and time. */
export const researchTeam: Insider = {
  name: "R&D team",
  has: "the bucket, the database, every log, all server keys",
  attempts: {
    C1: {
      when: "after",
      async run(world) {
        const tries = new Tries()
        const keys = (await seedsOf(world.holdings.keyFile)).flatMap(identitiesOf)
        for await (const { entry, bytes } of objectsIn(world)) {
          const plain = plainIn(bytes)
          tries.holds(plain === null, `a ${entry.kind} in the bucket ${plain}`)
          if (plain !== null) tries.leaks({ clips: [entry.clip] })
          for (const key of keys) {
            const open = await opens(bytes, key)
            tries.holds(!open, `a ${entry.kind} opens with a key of the server's`)
            if (open) tries.leaks({ clips: [entry.clip] })
          }
        }
        return tries
      },
    },
    C2: {
      when: "after",
      async run(world, signal) {
        const tries = new Tries()
        for (const home of world.homes) {
          const { found, bytes } = await searchPlain(world.holdings.places, home.canary, thingsOf(world))
          signal.throwIfAborted()
          tries.holds(found.length === 0, `${found[0]?.form} canary in ${nameOf(found[0]?.file ?? "")}`)
          if (bytes === 0) throw new Error("there is nothing to search")
        }
        return tries
      },
    },
    C3: {
      when: "after",
      async run(world) {
        const tries = new Tries()
        for (const [source, bytes] of await dumpOf(world))
          for (const { email, inbox } of world.accounts)
            for (const value of [email, inbox, email.split("@")[0] ?? email])
              tries.holds(!bytes.includes(value), `${source} names a customer`)
        return tries
      },
    },
    C16: {
      when: "after",
      async run(world) {
        const tries = new Tries()
        const keys = (await seedsOf(world.holdings.keyFile)).flatMap(identitiesOf)
        const sizes = new Set<number>()
        for await (const { entry, bytes } of objectsIn(world, ({ kind }) => kind !== "segment")) {
          sizes.add(entry.payloadBytes)
          const plain = plainIn(bytes)
          tries.holds(plain === null, `a ${entry.kind} ${plain}`)
          if (plain !== null) tries.leaks({ clips: [entry.clip] })
          for (const key of keys)
            tries.holds(!(await opens(bytes, key)), `a ${entry.kind} opens with a server key`)
        }
        tries.holds(sizes.size <= 3, `thumbnails and summaries have ${sizes.size} sizes`)
        return tries
      },
    },
  },
}

/** What lies in no file: each home's disk, and what went over its wire. */
async function* thingsOf({ homes }: World) {
  for (const { index, board, wire } of homes) {
    yield { name: `wire of home ${index}`, bytes: Buffer.concat(wire.sent) }
    yield { name: `wire to home ${index}`, bytes: Buffer.concat(wire.heard) }
    for (const { name } of await board.disk.list(""))
      yield { name: `disk of home ${index}: ${name}`, bytes: Buffer.from((await board.disk.get(name)) ?? []) }
  }
}

/** A way from an e-mail to a camera, a clip or an object, by fields and without values; null: there is none. */
export async function pathToACamera(world: World): Promise<string | null> {
  const { holdings, homes } = world
  const bucket = await holdings.readBucket()
  const logs: Record<string, readonly string[]> = {}
  for (const file of holdings.logs)
    logs[nameOf(file)] = (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean)
  const constants = (await serverKeys(holdings.keyFile)).flatMap(({ id, hex }) => [id, hex])
  const dump = await holdingsOf({
    ...{ database: await holdings.database(), bucket, logs, sessions: [] },
    beats: await openBeats(holdings.bucketFolder),
  })
  if (homes.length > 0 && dump.length === 0) throw new Error("the dump is empty")
  const path = pathFromAccountToClip(dump, [...constants, NO_MANIFEST])
  return path && describePath(path)
}

/** The video index as text, table by table; accounts and inboxes are another half, and name customers by right. */
async function dumpOf({ holdings }: World): Promise<readonly (readonly [string, string])[]> {
  const tables = await (await holdings.database()).tables()
  return tables
    .filter(({ name }) => name !== "accounts" && name !== "inbox_messages")
    .map(({ name, rows }) => [`table ${name}`, JSON.stringify(rows)])
}

function nameOf(path: string): string {
  return path.split("/").at(-1) ?? path
}
