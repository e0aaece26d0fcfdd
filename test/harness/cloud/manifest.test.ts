import { expect, test } from "vitest"
import { sign } from "../../../firmware/control/dsse.ts"
import { deviceTopic } from "../../../firmware/control/protocol.ts"
import { chunksOf, heartbeatOf, manifestOf, newKey, randomObject } from "./camera.ts"
import { runningCloud } from "./running-cloud.ts"

const running = runningCloud()
const { camera, bytesOf } = running

test("a gap in the chain is never refused, and manifests without objects are receipted", async () => {
  const one = await camera()
  const drop = { kind: "drop" as const, from: 3, to: 900, cause: "full" as const }
  const cut = { kind: "cut" as const, clip: "ab".repeat(16), segments: 2 }
  for (const [sequence, entries] of [
    [1_000, [drop, cut]],
    [77, [cut]],
  ] as const) {
    const manifest = manifestOf(one.key, [], { sequence, entries: [...entries], previous: "99".repeat(32) })
    expect(await one.upload(manifest)).toMatchObject({ from: sequence, to: sequence + entries.length - 1 })
  }
  expect(running.cloud.bucket.newest(one.key.id)?.to).toBe(1_001)
})

test("a second manifest with a sequence that is taken is kept, receipted, and raises an alert", async () => {
  const one = await camera()
  await one.upload(manifestOf(one.key, [randomObject(1_000)], { sequence: 4 }))
  await one.upload(manifestOf(one.key, [randomObject(1_000)], { sequence: 4 }))
  expect(running.cloud.stats).toMatchObject({ forks: 1, receipts: 2 })
  expect(running.lines).toContainEqual({ event: "fork", device: one.key.id, sequence: 4 })
  expect(running.cloud.bucket.manifests(one.key.id)).toHaveLength(2)
})

test("a manifest that is altered, another's, of another kind, or no manifest is refused with a reason", async () => {
  const one = await camera()
  const good = manifestOf(one.key, [randomObject(1_000)])
  const altered = Buffer.from(good.envelope)
  altered[120] = altered[120] === 65 ? 66 : 65
  const cases: [Buffer, string][] = [
    [altered, "bad signature"],
    [manifestOf(newKey(), [randomObject(1_000)], { device: one.key.id }).envelope, "bad signature"],
    [manifestOf(one.key, [randomObject(1_000)], { device: newKey().id }).envelope, "another device"],
    [heartbeatOf(one.key), "bad signature"],
    [Buffer.from(sign("manifest", { device: one.key.id }, one.key)), "malformed"],
    [Buffer.from("{}"), "malformed"],
  ]
  for (const [envelope, reason] of cases) {
    const have = one.nextHave()
    await one.say("manifest", envelope)
    expect(await have).toMatchObject({ refused: reason })
  }
  expect(running.cloud.bucket.devices()).toEqual([])
})

test("an object id that another camera or manifest holds is refused, and the holder's bytes stay", async () => {
  const object = randomObject(1_000)
  const holder = await camera()
  await holder.upload(manifestOf(holder.key, [object]))
  const thief = await camera()
  const have = thief.nextHave()
  await thief.say("manifest", manifestOf(thief.key, [object]).envelope)
  expect(await have).toMatchObject({ refused: "object id is taken" })
  const twice = holder.nextHave()
  const other = randomObject(2_000)
  await holder.say("manifest", manifestOf(holder.key, [other, other], { sequence: 1 }).envelope)
  expect(await twice).toMatchObject({ refused: "object id is taken" })
  expect((await bytesOf(object.entry.id)).equals(object.bytes)).toBe(true)
})

test("of two cameras that announce one object id at once, one gets its receipt and the other is refused", async () => {
  const object = randomObject(1_000)
  const cameras = await Promise.all([camera(), camera()])
  const manifests = cameras.map((each) => manifestOf(each.key, [object]))
  for (const [i, each] of cameras.entries()) {
    const have = each.nextHave()
    await each.say("manifest", manifests[i]?.envelope ?? Buffer.alloc(0))
    await have
  }
  const ends = cameras.map(async (each, i) => {
    const manifest = manifests[i]
    const heard = await each.next(
      (one) =>
        (one.name === "receipt" && one.receipt.manifest === manifest?.hash) ||
        (one.name === "have" && "refused" in one.have),
    )
    return heard.name
  })
  await Promise.all(cameras.map((each) => each.say("chunk", chunksOf(object)[0] ?? Buffer.alloc(0))))
  expect((await Promise.all(ends)).sort()).toEqual(["have", "receipt"])
})

test("a camera that lost its spool is told its newest manifest", async () => {
  const one = await camera()
  const manifest = manifestOf(one.key, [randomObject(1_000)], { sequence: 9 })
  await one.upload(manifest)
  const head = one.next((heard) => heard.name === "other")
  await one.say("beat", heartbeatOf(one.key, { newest: 3 }))
  expect(await head).toMatchObject({ topic: deviceTopic(one.key.id, "head"), payload: manifest.envelope })
})
