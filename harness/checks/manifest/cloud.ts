import { sign } from "../../../firmware/control/dsse.ts"
import type { Entry } from "../../../firmware/control/protocol.ts"
import { readChain } from "../../owner/chain-view.ts"
import { type Run, Tries } from "../check.ts"
import { CloudDoor } from "../worlds/cloud-door.ts"
import { heartbeatOf, manifestOf, newKey, randomObject } from "../worlds/hand-camera.ts"

/** What the cloud makes of a camera's chain. */
export const checks = {
  "gap-accepted": async () => {
    const tries = new Tries()
    const door = await CloudDoor.open()
    const cut: Entry = { kind: "cut", clip: "ab".repeat(16), segments: 2 }
    for (const sequence of [1_000, 77, 5_000]) {
      const manifest = manifestOf(door.camera, [randomObject(900)], { sequence, previous: "99".repeat(32) })
      await door.upload(manifest)
      tries.holds(door.bucket.manifest(manifest.hash) !== null, `a manifest at ${sequence} was not taken`)
    }
    await door.upload(manifestOf(door.camera, [], { sequence: 90_000, entries: [cut] }))
    tries.is(door.count("receipt"), 4, "receipts")
    return tries
  },

  "fork-kept": async () => {
    const tries = new Tries()
    const door = await CloudDoor.open()
    const both = [500, 600].map((size) => manifestOf(door.camera, [randomObject(size)], { sequence: 4 }))
    for (const manifest of both) await door.upload(manifest)
    for (const { hash } of both)
      tries.holds(door.bucket.manifest(hash) !== null, "one of the two was not kept")
    tries.is(door.lines.filter(({ event }) => event === "fork").length, 1, "alerts of the cloud")
    const { alerts } = readChain(
      both.map(({ envelope }) => envelope),
      door.camera,
    )
    tries.is(alerts.filter(({ kind }) => kind === "fork").length, 1, "alerts of the vault")
    return tries
  },

  "beats-signed": async () => {
    const tries = new Tries()
    const door = await CloudDoor.open()
    const [other, { camera }] = [newKey(), door]
    tries.is(door.take("beat", heartbeatOf(camera, { number: 5 })), null, "an honest heartbeat")
    const altered = Buffer.from(heartbeatOf(camera, { number: 9 }))
    altered[160] = (altered[160] ?? 0) ^ 1
    const refused: readonly [string, Buffer][] = [
      ["by another key", heartbeatOf(other, { device: camera.id, number: 6 })],
      ["in the camera's name", heartbeatOf(other, { device: camera.id, key: camera.hex, number: 6 })],
      ["of another camera", heartbeatOf(camera, { device: other.id, number: 6 })],
      ["that names another key", heartbeatOf(camera, { key: other.hex, number: 6 })],
      ["altered", altered],
      ["older than the last", heartbeatOf(camera, { number: 4 })],
      ["that was signed as something else", Buffer.from(sign("answer", { device: camera.id }, camera))],
    ]
    for (const [what, envelope] of refused)
      tries.holds(door.take("beat", envelope) !== null, `a heartbeat ${what} was believed`)
    tries.holds(
      door.ingest.take(other.id, "beat", heartbeatOf(camera)) !== null,
      "believed in another mailbox",
    )
    return tries
  },
} satisfies Readonly<Record<string, Run>>
