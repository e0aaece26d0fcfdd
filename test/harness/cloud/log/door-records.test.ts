import { afterEach, describe, expect, test, vi } from "vitest"
import { sign } from "../../../../firmware/control/dsse.ts"
import { sha256Hex } from "../../../../firmware/control/keys.ts"
import { deviceTopic, liveTopic } from "../../../../firmware/control/protocol.ts"
import { decodeAnswer, encodeQuestion } from "../../../../harness/cloud/log/log-messages.ts"
import type { AccessRecord } from "../../../../harness/cloud/log/records.ts"
import { type Mistake, mutant } from "../../../mutants.ts"
import { type Heard, manifestOf, newKey, randomObject } from "../camera.ts"
import { closed } from "../running-cloud.ts"
import { type LoggedCloud, loggedCloud } from "./logged-cloud.ts"

/** What a cloud's door records of itself: before it happens where it is a grant, and bounded where strangers cause it. */

const BROKER = "harness/cloud/broker.ts"
const RECORDS = "harness/cloud/log/door-records.ts"
const open: LoggedCloud[] = []
afterEach(async () => {
  for (const cloud of open.splice(0)) await cloud.close()
})

async function cloudWith(mistake?: Mistake): Promise<LoggedCloud> {
  const start =
    mistake && (await mutant<typeof import("../../../../harness/cloud/broker.ts")>(BROKER, mistake))
  const cloud = await loggedCloud(start?.startCloud)
  open.push(cloud)
  return cloud
}

const asked = ({ camera, view }: LoggedCloud): Promise<Heard> =>
  camera.next((one) => one.name === "other" && one.topic === view)

/** What stands in the log in the moment in which the camera hears a guest's ask. */
async function loggedWhenAsked(mistake?: Mistake): Promise<readonly AccessRecord[]> {
  const cloud = await cloudWith(mistake)
  const guest = newKey()
  const { ask } = cloud.ask(guest)
  const one = await cloud.join("viewer", guest)
  const heard = asked(cloud)
  one.client.publish(cloud.view, ask, { qos: 1 }, () => undefined)
  await heard
  const records = await cloud.records()
  await one.client.publishAsync(cloud.view, ask, { qos: 1 })
  expect((await cloud.records()).filter(({ kind }) => kind === "grant").length).toBe(
    records.filter(({ kind }) => kind === "grant").length,
  )
  return records.filter(({ kind }) => kind === "grant")
}

describe("a grant", () => {
  test("is in the log, once, before its ask reaches the camera", async () => {
    expect(await loggedWhenAsked()).toMatchObject([
      { kind: "grant", by: { role: "owner" }, reason: "the gate", purpose: "live view" },
    ])
  })

  test("that the door carries without a record is found missing", async () => {
    const from = 'if (shown === null || shown === "before") return null'
    expect(await loggedWhenAsked({ path: RECORDS, from, to: `${from}\n    if (by) return null` })).toEqual([])
  })
})

/** Whether a guest's ask and an owner's reach the camera while the log's disk is full. */
async function looksUnrecorded(mistake?: Mistake): Promise<number> {
  const cloud = await cloudWith(mistake)
  const guest = newKey()
  const { ask } = cloud.ask(guest)
  const before = cloud.camera.heard.length
  cloud.fill(true)
  for (const [role, key] of [
    ["viewer", guest],
    ["owner", cloud.owner],
  ] as const) {
    const one = await cloud.join(role, key)
    const ended = closed(one)
    const said = one.client.publishAsync(cloud.view, ask, { qos: 1 }).catch(() => undefined)
    await Promise.race([ended, said])
  }
  // What was said before it has come when this has.
  cloud.fill(false)
  const one = await cloud.join("viewer", guest)
  const heard = cloud.camera.next(
    (each) => each.name === "other" && each.topic === cloud.view && each.payload.equals(ask2),
  )
  const ask2 = cloud.ask(guest, "again").ask
  await one.client.publishAsync(cloud.view, ask2, { qos: 1 })
  await heard
  return cloud.camera.heard.slice(before).length - 1
}

describe("while the log takes nothing", () => {
  test("nobody's ask reaches a camera, the owner's neither, and later it does", async () => {
    expect(await looksUnrecorded()).toBe(0)
  })

  test("a door that does not ask the log lets them look", async () => {
    const from = 'if (!this.#log.isAble) return "not logged"'
    expect(await looksUnrecorded({ path: RECORDS, from, to: "" })).toBeGreaterThan(0)
  })

  test("clips get their receipts; what tells of a live session is refused, and taken in when it can be recorded", async () => {
    const cloud = await cloudWith()
    const { camera } = cloud
    cloud.fill(true)
    const session = "5".repeat(32)
    const live = { kind: "live", session, grant: "a".repeat(64), viewer: cloud.owner.id } as const
    const look = manifestOf(camera.key, [], { entries: [live] })
    const refused = camera.next((one) => one.name === "have" && "refused" in one.have)
    await camera.say("manifest", look.envelope)
    expect(await refused).toMatchObject({ have: { manifest: look.hash, refused: "not logged" } })
    const clip = manifestOf(camera.key, [randomObject(5_000)], { sequence: 1, previous: look.hash })
    await camera.upload(clip)
    cloud.fill(false)
    const receipt = camera.receiptOf(look)
    await camera.say("manifest", look.envelope)
    await receipt
    expect(await cloud.records()).toContainEqual(expect.objectContaining({ kind: "live session", session }))
  })

  test("a cloud that only fails to store such a manifest makes the camera wait with its clips behind it", async () => {
    const path = "harness/cloud/log/live-sessions.ts"
    const cloud = await cloudWith({
      path,
      from: 'throw new Fault("refused", NOT_LOGGED, { cause })',
      to: "throw cause",
    })
    cloud.fill(true)
    const live = {
      kind: "live",
      session: "5".repeat(32),
      grant: "a".repeat(64),
      viewer: "e".repeat(40),
    } as const
    await cloud.camera.say("manifest", manifestOf(cloud.camera.key, [], { entries: [live] }).envelope)
    await vi.waitUntil(() => cloud.lines.some(({ event }) => event === "fault"))
    expect(cloud.camera.heard.filter(({ name }) => name === "have")).toEqual([])
  })
})

describe("what is refused", () => {
  test("by the door and by the camera is a record, and a stranger's flood is few of them, counted", async () => {
    const cloud = await cloudWith()
    const stranger = newKey()
    for (let times = 0; times < 12; times++) {
      const one = await cloud.join("viewer", stranger)
      const ended = closed(one)
      one.client.publish(cloud.view, cloud.ask(stranger, "me", stranger).ask, { qos: 1 }, () => undefined)
      await ended
    }
    const refusals = (await cloud.records()).filter(({ kind }) => kind === "request refused")
    expect(refusals).toHaveLength(8)
    expect(refusals[0]).toMatchObject({
      ...{ request: "live view", refusal: "foreign topic", times: 1 },
      by: { role: "viewer", key: stranger.id },
    })
  })

  test("by a camera to its viewer, in its own signed words", async () => {
    const cloud = await cloudWith()
    const guest = newKey()
    const answer = {
      device: cloud.camera.key.id,
      command: "b".repeat(64),
      result: "refused",
      reason: "expired",
    }
    const topic = liveTopic(cloud.camera.key.id, guest.id)
    await cloud.camera.client.publishAsync(topic, Buffer.from(sign("answer", answer, newKey())), { qos: 1 })
    await cloud.camera.client.publishAsync(topic, Buffer.from(sign("answer", answer, cloud.camera.key)), {
      qos: 1,
    })
    await vi.waitUntil(async () => (await cloud.records()).some(({ kind }) => kind === "request refused"))
    const refusals = (await cloud.records()).filter(({ kind }) => kind === "request refused")
    expect(refusals).toMatchObject([{ refusal: "expired", by: { role: "viewer", key: guest.id } }])
  })
})

/** Records of one request to delete that its owner sent twice, when the answer comes. */
async function deletionsLogged(mistake?: Mistake): Promise<readonly AccessRecord[]> {
  const cloud = await cloudWith(mistake)
  const { camera, owner } = cloud
  const device = camera.key.id
  const one = await cloud.join("owner", owner)
  await one.client.subscribeAsync(deviceTopic(device, "deleted"), { qos: 0 })
  const body = { device, key: owner.hex, nonce: "7".repeat(32), what: { everything: true } }
  const request = Buffer.from(sign("delete", body, owner))
  for (let times = 0; times < 2; times++) {
    const answered = one.next((each) => each.name === "other" && each.topic.endsWith("/deleted"))
    await one.client.publishAsync(deviceTopic(device, "delete"), request, { qos: 1 })
    await answered
  }
  const records = (await cloud.records()).filter(({ kind }) => kind === "deletion")
  expect(records.every((each) => each.kind === "deletion" && each.request === sha256Hex(request))).toBe(true)
  return records
}

describe("a deletion", () => {
  test("is in the log, once, when the owner has the cloud's signature", async () => {
    expect(await deletionsLogged()).toHaveLength(1)
  })

  test("that is answered without a record is found missing", async () => {
    const path = "harness/cloud/deletion.ts"
    const from = "await record?.({"
    expect(await deletionsLogged({ path, from, to: "if (!record) await record?.({" })).toEqual([])
  })
})

/** What an owner is answered who wants a grant recorded while the log's disk is full, and then when it is not. */
async function recordedGrants(mistake?: Mistake): Promise<readonly (string | null)[]> {
  const cloud = await cloudWith(mistake)
  const device = cloud.camera.key.id
  const one = await cloud.join("owner", cloud.owner)
  await one.client.subscribeAsync(deviceTopic(device, "logged"), { qos: 0 })
  const ask = async (grant: Uint8Array) => {
    const answered = one.next((each) => each.name === "other" && each.topic.endsWith("/logged"))
    const asked = { kind: "grant", grant: Buffer.from(grant).toString("base64") } as const
    const question = encodeQuestion({ nonce: "9".repeat(32), ask: asked })
    await one.client.publishAsync(deviceTopic(device, "log"), Buffer.from(question), { qos: 1 })
    const answer = await answered
    return answer.name === "other" ? decodeAnswer(answer.payload).refused : "nothing"
  }
  const { grant } = cloud.ask(newKey())
  cloud.fill(true)
  const full = await ask(grant)
  cloud.fill(false)
  const answers = [full, await ask(grant), await ask(cloud.ask(newKey(), "forged", newKey()).grant)]
  const logged = (await cloud.records()).filter(({ kind }) => kind === "grant")
  expect(logged.map(({ reason }) => reason)).toEqual(["the gate"])
  return answers
}

describe("a grant that its owner shows before lending it", () => {
  test("is said to be recorded when it is, and by its owner", async () => {
    expect(await recordedGrants()).toEqual([
      "the access log takes nothing now",
      null,
      "no grant of this camera's owner",
    ])
  })

  test("is not when the cloud says so all the same", async () => {
    const path = "harness/cloud/log/log-desk.ts"
    const mistake = { path, from: 'return "the access log takes nothing now"', to: "return null" }
    expect((await recordedGrants(mistake))[0]).toBeNull()
  })
})
