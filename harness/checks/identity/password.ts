import { openIdentity } from "../../../firmware/control/identity.ts"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import type { Connect, Role } from "../../../firmware/control/protocol.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { MemoryDisk } from "../../../simulator/disk.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { sessionOf } from "../../cloud/access.ts"
import { type Run, Tries } from "../check.ts"
import { CloudDoor } from "../worlds/cloud-door.ts"
import { heartbeatOf, manifestOf, newKey, password, randomObject } from "../worlds/hand-camera.ts"

const BINDING = "cd".repeat(32)

export const checks = {
  "password-bound": async () => {
    const tries = new Tries()
    const [key, other] = [newKey(), newKey()]
    const opens = (secret: Buffer, client = key.id, user: Role = "camera", binding: string | null = null) =>
      sessionOf({ client, user, password: secret }, "here", binding) !== null
    const made = (over: Partial<Connect> = {}, by = key, role: Role = "camera", broker = "here") =>
      password(by, role, broker, over)
    tries.is(opens(made()), true, "the right password on loopback")
    tries.is(
      opens(made({ binding: BINDING }), key.id, "camera", BINDING),
      true,
      "the right password over TLS",
    )
    const wrong: readonly [string, boolean][] = [
      ["of another broker", opens(made({}, key, "camera", "elsewhere"))],
      ["of another role", opens(made(), key.id, "owner")],
      ["of another connection", opens(made({ binding: "ab".repeat(32) }), key.id, "camera", BINDING)],
      ["of no connection", opens(made(), key.id, "camera", BINDING)],
      ["of a connection, on none", opens(made({ binding: BINDING }))],
      ["for another client id", opens(made(), other.id)],
      ["by another key, with the victim's id", opens(made({ client: key.id }, other))],
      ["by another key, with the victim's key", opens(made({ client: key.id, key: key.hex }, other))],
      ["that is a guess", opens(Buffer.from("guess"))],
      ["that is empty", opens(Buffer.alloc(0))],
      ["that is a signed heartbeat", opens(heartbeatOf(key))],
    ]
    for (const [what, opened] of wrong) tries.is(opened, false, `a password ${what} let somebody in`)
    return tries
  },

  "name-is-key": async () => {
    const tries = new Tries()
    const identities = []
    for (let cameras = 0; cameras < 3; cameras++) {
      const disk = new MemoryDisk({ clock: virtualClock(), random: seededRandom(1) })
      const identity = await openIdentity(disk)
      const raw = Buffer.from(identity.key.hex, "hex")
      tries.is(identity.device, sha256Hex(raw).slice(0, 40), "device id")
      tries.is((await openIdentity(disk)).device, identity.device, "device id at the next boot")
      identities.push(identity.device)
    }
    tries.is(new Set(identities).size, 3, "names of three cameras, whose random source is one")
    const door = await CloudDoor.open()
    const [own, thief] = [newKey(), newKey()]
    const introduced = door.ingest.take(
      own.id,
      "beat",
      heartbeatOf(thief, { device: own.id, key: thief.hex }),
    )
    tries.holds(introduced !== null, "a key was introduced under another's name")
    door.ingest.take(own.id, "manifest", manifestOf(thief, [randomObject(99)], { device: own.id }).envelope)
    tries.is(
      door.haves.some((have) => "held" in have),
      false,
      "a thief's manifest was taken",
    )
    return tries
  },
} satisfies Readonly<Record<string, Run>>
