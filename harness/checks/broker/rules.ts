import type { SigningKey } from "../../../firmware/control/keys.ts"
import {
  deviceTopic,
  FROM_CAMERA,
  FROM_OWNER,
  liveTopic,
  PAIRING_BYTES_MAX,
  PAYLOAD_BYTES_MAX,
  pairingTopic,
  type Role,
  TO_CAMERA,
  TO_OWNER,
} from "../../../firmware/control/protocol.ts"
import { mayHear, publishVerdict, willAllowed } from "../../cloud/access.ts"
import { holdsGrant } from "../../cloud/viewers.ts"
import { grantFor } from "../../owner/grants.ts"
import { LiveLook } from "../../owner/live-look.ts"
import { type Run, Tries } from "../check.ts"
import { newKey } from "../worlds/hand-camera.ts"

const [camera, owner, guest, stranger] = [newKey(), newKey(), newKey(), newKey()]
const ROLES: readonly Role[] = ["camera", "owner", "viewer"]
const NAMES = [...new Set([...FROM_CAMERA, ...TO_CAMERA, ...FROM_OWNER, ...TO_OWNER, "view"] as const)]
const owns = (key: string, device: string) => key === owner.id && device === camera.id

const topics = [...NAMES.map((name) => deviceTopic(camera.id, name)), liveTopic(camera.id, guest.id)]

function goesOn(role: Role, key: SigningKey, topic: string, over: object = {}, shows = false): boolean {
  const publication = { topic, bytes: 100, retain: false, qos: 1, ...over }
  return publishVerdict({ role, key }, publication, owns, () => shows).to !== "nobody"
}

/** The cloud's rules: each is a question with an answer. */
export const checks = {
  "own-topics": async () => {
    const tries = new Tries()
    for (const topic of topics) {
      const name = topic.split("/")[3] ?? ""
      for (const role of ROLES)
        for (const key of [stranger, ...(role === "camera" ? [owner, guest] : [camera])]) {
          tries.is(goesOn(role, key, topic), false, `a stranger as ${role} says ${name}`)
          const isTheirs = role !== "camera" && name === "live" && key === guest
          tries.is(mayHear({ role, key }, topic, owns), isTheirs, `a stranger as ${role} hears ${name}`)
        }
      // Each says what is theirs to say, in the one role in which it is.
      const saidBy = {
        camera: isOf(FROM_CAMERA, name) || name === "live",
        owner: isOf([...FROM_OWNER, "view", "command"], name),
      }
      tries.is(goesOn("camera", camera, topic), saidBy.camera, `the camera says ${name}`)
      tries.is(goesOn("owner", owner, topic), saidBy.owner, `the owner says ${name}`)
      tries.is(goesOn("viewer", owner, topic), name === "view", `the owner's key as a viewer's says ${name}`)
      tries.is(
        mayHear({ role: "camera", key: camera }, topic, owns),
        isOf(TO_CAMERA, name),
        `the camera hears ${name}`,
      )
      const isOwners = isOf(TO_OWNER, name) || name === "receipt" || name === "answer" || name === "beat"
      tries.is(mayHear({ role: "owner", key: owner }, topic, owns), isOwners, `the owner hears ${name}`)
      tries.is(mayHear({ role: "viewer", key: guest }, topic, owns), name === "live", `a guest hears ${name}`)
    }
    return tries
  },

  "literal-filters": async () => {
    const tries = new Tries()
    const wild = [
      "#",
      "+/+",
      "$SYS/#",
      "obscura/1/#",
      "obscura/1/pair/#",
      "obscura/1/+/beat",
      "obscura/1/pair/+/hello",
    ]
    for (const filter of [...wild, ...topics.map((topic) => topic.replace(/[^/]+$/, "+"))])
      for (const role of ROLES)
        for (const key of [camera, owner, guest])
          tries.is(mayHear({ role, key }, filter, owns), false, `${filter} granted to a ${role}`)
    for (const [role, key] of [
      ["camera", camera],
      ["owner", owner],
    ] as const)
      tries.is(goesOn(role, key, "obscura/1/+/beat"), false, "said where everybody listens")
    return tries
  },

  "nothing-retained": async () => {
    const tries = new Tries()
    const pairing = pairingTopic("ab".repeat(16), "hello")
    for (const topic of [...topics, pairing])
      for (const [role, key] of [
        ["camera", camera],
        ["owner", owner],
      ] as const) {
        tries.is(goesOn(role, key, topic, { retain: true }), false, "a message to be retained goes on")
        tries.is(goesOn(role, key, topic, { qos: 2 }), false, "a message at quality 2 goes on")
        tries.is(
          goesOn(role, key, topic, { bytes: PAYLOAD_BYTES_MAX + 1 }),
          false,
          "a message too long goes on",
        )
      }
    tries.is(
      goesOn("owner", stranger, pairing, { bytes: PAIRING_BYTES_MAX + 1 }),
      false,
      "a pairing message too long",
    )
    tries.is(
      goesOn("camera", camera, deviceTopic(camera.id, "chunk"), { bytes: PAYLOAD_BYTES_MAX }),
      true,
      "the longest",
    )
    return tries
  },

  "empty-wills": async () => {
    const tries = new Tries()
    const gone = deviceTopic(camera.id, "gone")
    const will = (topic: string, payload = "", retain = false) =>
      willAllowed(camera.id, { topic, payload: Buffer.from(payload), retain })
    tries.is(will(gone), true, "the camera's own empty gone")
    for (const [what, allowed] of [
      ["with content", will(gone, "x")],
      ["retained", will(gone, "", true)],
      ["another's", will(deviceTopic(stranger.id, "gone"))],
      ["on another topic", will(deviceTopic(camera.id, "beat"))],
      ["of a command", will(deviceTopic(camera.id, "command"))],
      ["anywhere", will("news")],
    ] as const)
      tries.is(allowed, false, `a will ${what}, allowed`)
    return tries
  },

  "viewers-by-grant": async () => {
    const tries = new Tries()
    const beat = { boot: "11".repeat(16), number: 0, nonce: "33".repeat(16) }
    const grant = (receiver: SigningKey, by = owner, device = camera.id) =>
      grantFor({ device, receiver, reason: "the gate", beat }, by)
    const ask = (viewer: SigningKey, carried: Uint8Array) =>
      Buffer.from(new LiveLook(camera, viewer, carried).ask)
    const holds = (payload: Uint8Array, viewer = guest) => holdsGrant(payload, viewer.id, camera.id, owns)
    const renamed = JSON.parse(Buffer.from(grant(guest, stranger)).toString())
    const body = JSON.parse(Buffer.from(renamed.payload, "base64").toString())
    renamed.payload = Buffer.from(JSON.stringify({ ...body, owner: owner.hex })).toString("base64")
    renamed.signatures[0].keyid = owner.id
    tries.is(holds(ask(guest, grant(guest))), true, "the owner's grant for this guest")
    for (const [what, held] of [
      ["for somebody else", holds(ask(guest, grant(stranger)))],
      ["by a stranger", holds(ask(guest, grant(guest, stranger)))],
      ["for another camera", holds(ask(guest, grant(guest, owner, "ab".repeat(20))))],
      ["by a stranger in the owner's name", holds(ask(guest, Buffer.from(JSON.stringify(renamed))))],
      ["that is none", holds(Buffer.from("let me in"))],
    ] as const)
      tries.is(held, false, `a grant ${what}, let through`)
    tries.is(
      goesOn("viewer", guest, deviceTopic(camera.id, "view")),
      false,
      "a guest without a grant, let through",
    )
    return tries
  },
} satisfies Readonly<Record<string, Run>>

const isOf = (names: readonly string[], name: string): boolean => names.includes(name)
