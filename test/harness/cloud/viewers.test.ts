import { describe, expect, test } from "vitest"
import { sign } from "../../../firmware/control/dsse.ts"
import type { SigningKey } from "../../../firmware/control/keys.ts"
import { deviceTopic, liveTopic } from "../../../firmware/control/protocol.ts"
import * as accesses from "../../../harness/cloud/access.ts"
import * as viewers from "../../../harness/cloud/viewers.ts"
import { grantFor } from "../../../harness/owner/grants.ts"
import { LiveLook } from "../../../harness/owner/live-look.ts"
import { type Mistake, mutant } from "../../mutants.ts"
import { heartbeatOf, newKey } from "./camera.ts"
import { closed, runningCloud } from "./running-cloud.ts"

/** Who may say and hear what of a live view: the cloud's part, which spares cameras the rest of the world. */

const ACCESS = "harness/cloud/access.ts"
const VIEWERS = "harness/cloud/viewers.ts"

const [camera, owner, guest, stranger] = [newKey(), newKey(), newKey(), newKey()]
const beat = { boot: "11".repeat(16), number: 0, nonce: "33".repeat(16) }
const grant = (receiver: SigningKey, by = owner, device = camera.id) =>
  grantFor({ device, receiver, reason: "the gate", beat }, by)
const ask = (viewer: SigningKey, carried: Uint8Array) =>
  Buffer.from(new LiveLook(camera, viewer, carried).ask)
const owns = (key: string, device: string) => key === owner.id && device === camera.id

/** The rule holds, and without each part of it does not. */
function rule<M>(
  name: string,
  entry: string,
  sound: M,
  check: (module: M) => void,
  mistakes: Record<string, Pick<Mistake, "from" | "to">>,
): void {
  describe(name, () => {
    test("holds", () => check(sound))
    test.each(Object.entries(mistakes))("without the question %s it does not", async (_what, mistake) => {
      const bent = await mutant<M>(entry, { path: entry, ...mistake })
      expect(() => check(bent)).toThrow()
    })
  })
}

rule(
  "a camera is asked by those alone who show its owner's grant, made out to them",
  VIEWERS,
  viewers,
  ({ holdsGrant }) => {
    const holds = (payload: Uint8Array, viewer = guest) => holdsGrant(payload, viewer.id, camera.id, owns)
    expect(holds(ask(guest, grant(guest)))).toBe(true)
    expect(holds(ask(guest, grant(stranger)))).toBe(false)
    expect(holds(ask(guest, grant(guest, stranger)))).toBe(false)
    expect(holds(ask(guest, grant(guest, owner, "ab".repeat(20))))).toBe(false)
    const renamed = JSON.parse(Buffer.from(grant(guest, stranger)).toString())
    const body = JSON.parse(Buffer.from(renamed.payload, "base64").toString())
    renamed.payload = Buffer.from(JSON.stringify({ ...body, owner: owner.hex })).toString("base64")
    renamed.signatures[0].keyid = owner.id
    expect(holds(ask(guest, Buffer.from(JSON.stringify(renamed))))).toBe(false)
    expect(holds(Buffer.from("let me in"))).toBe(false)
    expect(holds(Buffer.from(sign("ask", { device: camera.id }, guest)))).toBe(false)
  },
  {
    "of which camera": { from: "body.device === device && ", to: "" },
    "whose signature": { from: " && owns(key.id, device)", to: "" },
    "for whom": { from: " && grant.receiver === viewer", to: "" },
  },
)

rule(
  "a view is heard by its viewer alone, and said by its camera alone",
  ACCESS,
  accesses,
  ({ mayHear, publishVerdict }) => {
    const session = (role: "camera" | "owner" | "viewer", key: SigningKey) => ({ role, key })
    const hears = (role: "camera" | "owner" | "viewer", key: SigningKey, topic: string) =>
      mayHear(session(role, key), topic, owns)
    const says = (role: "camera" | "owner" | "viewer", key: SigningKey, topic: string, shows = false) =>
      publishVerdict(session(role, key), { topic, bytes: 100, retain: false, qos: 1 }, owns, () => shows).to
    const [view, mine] = [deviceTopic(camera.id, "view"), liveTopic(camera.id, guest.id)]
    expect([hears("viewer", guest, mine), hears("camera", camera, view)]).toEqual([true, true])
    expect(hears("viewer", stranger, mine)).toBe(false)
    expect(hears("owner", owner, mine)).toBe(false)
    expect(hears("camera", guest, mine)).toBe(false)
    expect(hears("viewer", guest, view)).toBe(false)
    for (const name of ["answer", "beat", "receipt", "have", "head", "command"] as const)
      expect(hears("viewer", guest, deviceTopic(camera.id, name))).toBe(false)
    // Not even with the owner's own key is a viewer the owner.
    expect(hears("viewer", owner, deviceTopic(camera.id, "beat"))).toBe(false)
    expect(hears("owner", owner, deviceTopic(camera.id, "beat"))).toBe(true)

    expect(says("camera", camera, mine)).toBe("subscribers")
    expect(says("camera", stranger, mine)).toBe("nobody")
    expect(says("viewer", guest, mine, true)).toBe("nobody")
    expect(says("owner", owner, mine, true)).toBe("nobody")
    expect(says("viewer", guest, view)).toBe("nobody")
    expect(says("viewer", guest, view, true)).toBe("subscribers")
    expect(says("owner", owner, view)).toBe("subscribers")
    expect(says("camera", stranger, view, true)).toBe("nobody")
    expect(says("viewer", guest, deviceTopic(camera.id, "command"), true)).toBe("nobody")
    expect(says("viewer", owner, deviceTopic(camera.id, "command"))).toBe("nobody")
  },
  {
    "whose view": { from: " && topic.viewer === session.key.id", to: "" },
    "by which camera": {
      from: 'session.role === "camera" && device === session.key.id\n      ? { to: "subscribers" }',
      to: '["camera"].includes(session.role)\n      ? { to: "subscribers" }',
    },
    "by what grant": { from: "(owns(session.key.id, device) || shows(device))", to: "true" },
    "in which role": { from: 'session.role === "owner" && OWNER_HEARS', to: "OWNER_HEARS" },
  },
)

describe("at a real broker", () => {
  const running = runningCloud()

  test("a guest reaches the camera, a stranger ends their connection, and an owner hears the last heartbeat at once", async () => {
    const device = await running.camera(camera)
    await device.say("beat", heartbeatOf(camera, { owner: owner.id }))
    const own = await running.owner(owner)
    const heard = own.next((one) => one.name === "other" && one.topic.endsWith("/beat"))
    await own.client.subscribeAsync(deviceTopic(camera.id, "beat"), { qos: 1 })
    expect(await heard).toMatchObject({ name: "other" })

    await device.client.subscribeAsync(deviceTopic(camera.id, "view"), { qos: 1 })
    const asked = device.next((one) => one.name === "other" && one.topic.endsWith("/view"))
    const one = await running.viewer(guest)
    const envelope = ask(guest, grant(guest))
    await one.client.publishAsync(deviceTopic(camera.id, "view"), envelope, { qos: 1 })
    expect(await asked).toMatchObject({ payload: envelope })
    // Once shown it is enough for this connection: what follows is sealed.
    const report = device.next((other) => other.name === "other" && other.topic.endsWith("/view"))
    await one.client.publishAsync(deviceTopic(camera.id, "view"), Buffer.from([1, 2, 3]), { qos: 1 })
    expect(await report).toMatchObject({ payload: Buffer.from([1, 2, 3]) })

    const other = await running.viewer(stranger)
    const ended = closed(other)
    other.client.publish(deviceTopic(camera.id, "view"), envelope, { qos: 1 }, () => undefined)
    await ended
    expect(running.lines).toContainEqual({
      event: "door refused",
      client: stranger.id,
      reason: "foreign topic",
    })
  })
})
