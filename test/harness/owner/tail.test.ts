import { randomBytes } from "node:crypto"
import { describe, expect, test } from "vitest"
import { sign } from "../../../firmware/control/dsse.ts"
import { type SigningKey, signingKeyOf } from "../../../firmware/control/keys.ts"
import type { Heartbeat } from "../../../firmware/control/protocol.ts"
import { minutes } from "../../../firmware/units.ts"
import { readChain } from "../../../harness/owner/chain-view.ts"
import * as tail from "../../../harness/owner/tail.ts"
import { describeTail, NOTHING_SEEN, type readTail, type Seen } from "../../../harness/owner/tail.ts"
import { mutant } from "../../mutants.ts"
import { heartbeatOf, manifestOf, newKey, randomObject } from "../cloud/camera.ts"

type Read = typeof readTail
const TAIL = "harness/owner/tail.ts"
const NOW = Date.UTC(2026, 0, 1)
const bent = async (from: string, to: string) =>
  (await mutant<{ readTail: Read }>(TAIL, { path: TAIL, from, to })).readTail

/** A camera with ten manifests of one object each, and its heartbeat after the last. */
function camera(key: SigningKey = newKey()) {
  const manifests: Uint8Array[] = []
  let [previous, head] = ["0".repeat(64), ""]
  for (let sequence = 0; sequence < 10; sequence++) {
    const made = manifestOf(key, [randomObject(100)], { sequence, previous })
    manifests.push(made.envelope)
    previous = made.hash
    head = made.hash
  }
  const boot = randomBytes(16).toString("hex")
  const beat = (over: Partial<Heartbeat> = {}) =>
    heartbeatOf(key, { boot, number: 5, newest: 9, head, ...over })
  return { key, manifests, head, boot, beat }
}

type Camera = ReturnType<typeof camera>

function look(
  { key }: Camera,
  manifests: readonly Uint8Array[],
  beat: Uint8Array | null,
  {
    before = NOTHING_SEEN,
    now = NOW,
    read = tail.readTail,
  }: { before?: Seen; now?: number; read?: Read } = {},
) {
  return read(readChain(manifests, key), beat, key, before, now)
}

describe("an owner who looks at the end of a chain", () => {
  test("finds nothing amiss with an honest cloud, however often, and while the chain grows", () => {
    const one = camera()
    let before = NOTHING_SEEN
    for (const shown of [3, 3, 7, 10, 10]) {
      const { head } = readLast(one.manifests.slice(0, shown), one.key)
      const view = look(
        one,
        one.manifests.slice(0, shown),
        one.beat({ number: shown, newest: shown - 1, head }),
        {
          before,
        },
      )
      expect(view.alerts).toEqual([])
      before = view.seen
    }
    expect(before).toMatchObject({ shown: { newest: 9, head: one.head }, announced: { newest: 9 } })
  })

  test("finds nothing amiss with a heartbeat older than the chain, a camera that has said nothing, and an empty one", () => {
    const one = camera()
    const { head } = readLast(one.manifests.slice(0, 4), one.key)
    expect(look(one, one.manifests, one.beat({ newest: 3, head })).alerts).toEqual([])
    expect(look(one, one.manifests, null).alerts).toEqual([])
    expect(look(one, [], one.beat({ newest: -1, head: "0".repeat(64) })).alerts).toEqual([])
  })

  async function findsTheHiddenTail(read?: Read): Promise<void> {
    const one = camera()
    const { alerts } = look(one, one.manifests.slice(0, 4), one.beat(), { read: read ?? tail.readTail })
    expect(alerts).toEqual([{ kind: "withheld", entries: 6, after: 3 }])
    expect(alerts.map(describeTail)[0]).toContain("withheld: 6 entries after sequence 3")
  }

  test("finds a tail that its cloud hides, by the camera's heartbeat", () => findsTheHiddenTail())

  test("and one who does not listen to heartbeats is found out", async () => {
    const read = await bent("announced.newest > chain.newest)", "announced.newest < 0)")
    await expect(findsTheHiddenTail(read)).rejects.toThrow("to deeply equal")
  })

  async function findsTheOldBucket(read: Read = tail.readTail): Promise<void> {
    const one = camera()
    const { seen } = look(one, one.manifests, null, { read })
    const { alerts } = look(one, one.manifests.slice(0, 4), null, { before: seen, now: NOW + 1, read })
    expect(alerts).toEqual([{ kind: "shows less", newest: 3, before: 9, at: NOW }])
    expect(describeTail(alerts[0] ?? raise())).toContain("less than it did on 2026-01-01T00:00:00.000Z")
  }

  test("finds a bucket that was put back to what it was, by what it showed before", () => findsTheOldBucket())

  test("and one who forgets what was shown is found out", async () => {
    const read = await bent("shown: farther(shown, headOf(chain, now))", "shown: null")
    await expect(findsTheOldBucket(read)).rejects.toThrow("to deeply equal")
  })

  test("goes on finding it: a look at less does not make one forget the more", () => {
    const one = camera()
    const all = look(one, one.manifests, one.beat())
    const less = look(one, one.manifests.slice(0, 4), null, { before: all.seen })
    const again = look(one, one.manifests.slice(0, 4), null, { before: less.seen })
    expect(again.alerts.map(({ kind }) => kind)).toEqual(["withheld", "shows less"])
  })

  test("finds a newest manifest that is another than was announced, or than was shown", () => {
    const key = newKey()
    const [one, other] = [camera(key), camera(key)]
    const announced = look(other, other.manifests, one.beat())
    expect(announced.alerts).toEqual([{ kind: "another head", sequence: 9 }])
    const { seen } = look(one, one.manifests, null)
    expect(look(other, other.manifests, null, { before: seen }).alerts).toEqual([
      { kind: "shows another", sequence: 9, at: NOW },
    ])
  })

  test("finds a heartbeat older than one of the same boot that was shown before", () => {
    const one = camera()
    const { seen } = look(one, one.manifests, one.beat({ number: 8 }))
    const older = look(one, one.manifests, one.beat({ number: 7 }), { before: seen })
    expect(older.alerts).toEqual([{ kind: "older heartbeat", at: NOW }])
    expect(older.seen.beat?.number).toBe(8)
    const boot = randomBytes(16).toString("hex")
    expect(look(one, one.manifests, one.beat({ boot, number: 0 }), { before: seen }).alerts).toEqual([])
  })

  const boots = () => Array.from({ length: 3 }, () => randomBytes(16).toString("hex"))

  /** The owner saw the first boot, then the second and the third; now the cloud shows the first's again. */
  async function findsTheReplayedBoot(read: Read = tail.readTail): Promise<void> {
    const one = camera()
    let before = NOTHING_SEEN
    const [first = "", ...later] = boots()
    for (const [day, boot] of [first, ...later].entries())
      before = look(one, one.manifests, one.beat({ boot }), { before, now: NOW + day, read }).seen
    const now = NOW + minutes(20)
    // A number above all of that boot's that were seen makes it no newer: the boot itself is over.
    for (const number of [4, 5, 6]) {
      const replay = look(one, one.manifests, one.beat({ boot: first, number }), { before, now, read })
      const kind = number > 5 ? "two boots" : "replayed heartbeat"
      expect(replay.alerts).toEqual([{ kind, at: NOW, since: NOW + 2 }])
      expect(replay.silentSince).toBe(NOW + 2)
      expect(replay.seen).toMatchObject({ beat: before.beat, earlier: before.earlier })
      const words = describeTail(replay.alerts[0] ?? raise())
      expect(words).toMatch(/^(?:replayed|two cameras): .* 2026-01-01T00:00:00\.000Z/)
    }
  }

  test("finds a heartbeat of an earlier boot, and takes it for no sign of life", () => findsTheReplayedBoot())

  test("and one who takes each other boot for a new one is found out", async () => {
    const read = await bent("earlier.find(({ boot }) => boot === beat.boot)", "earlier.find(() => false)")
    await expect(findsTheReplayedBoot(read)).rejects.toThrow("to deeply equal")
  })

  test("and one who remembers the boot before the last alone is found out", async () => {
    const read = await bent("[...earlier, newest].slice", "[newest].slice")
    await expect(findsTheReplayedBoot(read)).rejects.toThrow("to deeply equal")
  })

  test("remembers boots without end by forgetting the first", () => {
    const one = camera()
    const [first = "", second = "", third = ""] = boots()
    const beatOf = (boot: string) => ({ boot, number: 5, at: NOW })
    const others = Array.from({ length: tail.BOOTS_MAX - 1 }, () => beatOf(randomBytes(16).toString("hex")))
    const full: Seen = { ...NOTHING_SEEN, earlier: [beatOf(first), ...others], beat: beatOf(second) }
    const { seen } = look(one, one.manifests, one.beat({ boot: third }), { before: full })
    expect([seen.beat?.boot, seen.earlier.at(-1)?.boot, seen.earlier.length]).toEqual([
      third,
      second,
      tail.BOOTS_MAX,
    ])
    expect(seen.earlier.some(({ boot }) => boot === first)).toBe(false)
  })

  test("says since when there was no new heartbeat, which is no proof of anything", () => {
    const one = camera()
    expect(look(one, one.manifests, null).silentSince).toBe("ever")
    const first = look(one, one.manifests, one.beat())
    expect(first.silentSince).toBeNull()
    const soon = look(one, one.manifests, one.beat(), { before: first.seen, now: NOW + minutes(1) })
    expect(soon.silentSince).toBeNull()
    const later = look(one, one.manifests, one.beat(), { before: soon.seen, now: NOW + minutes(11) })
    expect([later.silentSince, later.alerts]).toEqual([NOW, []])
    const anew = look(one, one.manifests, one.beat({ number: 6 }), {
      before: later.seen,
      now: NOW + minutes(11),
    })
    expect(anew.silentSince).toBeNull()
  })

  test("believes no heartbeat that the camera did not sign, whatever its bytes", () => {
    const one = camera()
    const stranger = signingKeyOf(randomBytes(32))
    const forged = sign("heartbeat", { ...JSON.parse(payloadOf(one.beat())), newest: 99 }, stranger)
    const changed = Buffer.from(one.beat())
    changed[40] = (changed[40] ?? 0) ^ 1
    for (const bytes of [forged, changed, Buffer.from("{}"), new Uint8Array(), randomBytes(70_000)]) {
      const view = look(one, one.manifests, bytes)
      expect(view.alerts.map(({ kind }) => kind)).toEqual(["not this camera's heartbeat"])
      expect(view.seen).toMatchObject({ announced: null, beat: null })
    }
  })
})

function readLast(manifests: readonly Uint8Array[], key: SigningKey): { head: string } {
  return { head: readChain(manifests, key).links.at(-1)?.hash ?? raise() }
}

function payloadOf(envelope: Uint8Array): string {
  return Buffer.from(JSON.parse(Buffer.from(envelope).toString()).payload, "base64").toString()
}

function raise(): never {
  throw new Error("not there")
}
