import { randomBytes } from "node:crypto"
import { sign } from "../../../firmware/control/dsse.ts"
import { type SigningKey, sha256Hex } from "../../../firmware/control/keys.ts"
import { decodeChunk, deviceTopic, encodeHave } from "../../../firmware/control/protocol.ts"
import type { Spool } from "../../../firmware/delivery/spool.ts"
import { KiB, minutes, seconds } from "../../../firmware/units.ts"
import { time } from "../../virtual/install.ts"
import { type Run, Tries } from "../check.ts"
import { type BenchCamera, benchCamera, newClip } from "../worlds/bench-camera.ts"
import { BenchUpload } from "../worlds/bench-upload.ts"
import { newKey } from "../worlds/hand-camera.ts"

const never = new AbortController().signal
/** Eight chunks, and the one that is being sent. */
const WINDOW_BYTES = 9 * 65_000
const KEPT = { keepReceivedBytes: 2 ** 30 }

/** What a camera believes of a broker and of a cloud. */
export const checks = {
  "puback-not-trusted": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    const upload = new BenchUpload(camera)
    const hear = upload.broker.onPublish
    let losing = true
    upload.broker.onPublish = (topic, payload) => {
      if (!losing || !topic.endsWith("/chunk")) hear(topic, payload)
    }
    const spool = await camera.boot()
    await recordOne(camera, spool, 2)
    await upload.start(spool)
    await time.advance(minutes(1))
    tries.is(
      (await camera.disk.list("object.")).length,
      2,
      "payloads on the disk while the broker loses them",
    )
    losing = false
    await time.advance(minutes(2))
    await time.settle(upload.stop(), minutes(1))
    tries.is(upload.receipted, [0, 1], "manifests that arrived once the broker lost nothing any more")
    tries.is((await camera.disk.list("object.")).length, 0, "payloads on the disk after the receipts")
    return tries
  },

  "paces-on-held": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    const upload = new BenchUpload(camera)
    const spool = await camera.boot()
    await recordOne(camera, spool, 2, 1_500 * KiB)
    const sent = new Map<string, number>()
    let held = 0
    upload.broker.onPublish = (topic, payload) => {
      const say = (manifest: string) =>
        upload.broker.say(deviceTopic(camera.identity.device, "have"), encodeHave({ manifest, held: [held] }))
      if (topic.endsWith("/manifest")) say(sha256Hex(payload))
      if (!topic.endsWith("/chunk")) return
      const { id, offset, data } = decodeChunk(payload)
      sent.set(id, Math.max(sent.get(id) ?? 0, offset + data.length))
    }
    await upload.start(spool)
    for (held of [0, 200_000, 400_000]) {
      await time.advance(minutes(1))
      tries.is(sent.size, 1, "objects under way at once")
      const [ahead = 0] = [...sent.values()].map((bytes) => bytes - held)
      tries.holds(ahead <= WINDOW_BYTES, `${ahead} bytes ahead of what the cloud says it has`)
    }
    await time.settle(upload.stop(), minutes(1))
    return tries
  },

  "receipt-pinned": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    const upload = new BenchUpload(camera)
    const { device, key } = camera.identity
    const spool = await camera.boot()
    await recordOne(camera, spool, 1)
    upload.broker.onPublish = (topic, payload) => {
      if (!topic.endsWith("/manifest")) return
      const say = (name: "have" | "receipt", bytes: Uint8Array) =>
        upload.broker.say(deviceTopic(device, name), bytes)
      const manifest = sha256Hex(payload)
      const receipt = { device, manifest, from: 0, to: 0 }
      say("have", encodeHave({ manifest, held: [0] }))
      const wrong: readonly [object, SigningKey][] = [
        [receipt, newKey()],
        [receipt, key],
        [{ ...receipt, manifest: "ab".repeat(32) }, RECEIPTS],
        [{ ...receipt, to: 9 }, RECEIPTS],
        [{ ...receipt, device: "ab".repeat(20) }, RECEIPTS],
      ]
      for (const [body, by] of wrong) say("receipt", sign("receipt", body, by))
      say("receipt", sign("answer", receipt, RECEIPTS))
      say("receipt", Buffer.from(JSON.stringify(receipt)))
    }
    await upload.start(spool, {}, RECEIPTS)
    await time.advance(minutes(1))
    await time.settle(upload.stop(), minutes(1))
    const refused = camera.log.lines.filter(({ event }) => event === "receipt refused").length
    tries.holds(refused >= 4, `only ${refused} wrong receipts were refused in words`)
    tries.is(spool.empty, false, "nothing waits any more after wrong receipts alone")
    tries.is((await camera.disk.list("object.")).length, 1, "payloads on the disk")
    return tries
  },

  "resumes-from-held": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    const upload = new BenchUpload(camera)
    const offsets: number[] = []
    const held = 130_000
    upload.broker.onPublish = (topic, payload) => {
      if (topic.endsWith("/manifest")) {
        const have = encodeHave({ manifest: sha256Hex(payload), held: [offsets.length === 0 ? 0 : held] })
        upload.broker.say(deviceTopic(camera.identity.device, "have"), have)
      }
      if (!topic.endsWith("/chunk")) return
      offsets.push(decodeChunk(payload).offset)
      if (offsets.length === 2) upload.broker.cut()
    }
    const spool = await camera.boot()
    await recordOne(camera, spool, 1, 300 * KiB)
    await upload.start(spool)
    await time.advance(seconds(10))
    await time.settle(upload.stop(), minutes(1))
    tries.is(offsets[0], 0, "where the first attempt began")
    const after = offsets.slice(2)
    tries.is(
      after.indexOf(held) >= 0 && Math.min(...after) === held,
      true,
      "it did not go on where it was held",
    )
    return tries
  },

  "evicts-received": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    const spool = await camera.boot({ bytesMax: 400_000, ...KEPT })
    await recordOne(camera, spool, 3, 60 * KiB)
    for (let arrived = 0; arrived < 2; arrived++) {
      const parcel = await spool.next(never)
      if (parcel) await spool.received(parcel, Buffer.from("receipt"))
    }
    const drops = () => camera.log.lines.filter(({ event }) => event === "dropped").length
    // Room for six: the fourth and fifth more push out what was received, the sixth something that was not.
    for (let more = 1; more <= 6; more++) {
      await recordOne(camera, spool, 1, 60 * KiB)
      tries.is(drops() > 0, more > 5, `dropped what nobody had, with ${more} more recorded`)
    }
    return tries
  },

  "resend-by-owner": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    const spool = await camera.boot(KEPT)
    await recordOne(camera, spool, 1)
    const upload = new BenchUpload(camera)
    await upload.start(spool)
    await time.advance(seconds(5))
    const { device } = camera.identity
    const nonce = randomBytes(16).toString("hex")
    const resend = (by: SigningKey, of = device) => sign("resend", { device: of, nonce, from: 0, to: 0 }, by)
    const foreign = [resend(newKey()), resend(camera.identity.key), resend(upload.owner, "ab".repeat(20))]
    for (const command of foreign) {
      upload.command(command)
      await time.advance(100)
      tries.is(upload.answers.at(-1)?.result, "refused", "a resend that is not the owner's, answered")
    }
    for (let replays = 0; replays < 3; replays++) {
      upload.command(resend(upload.owner))
      await time.advance(seconds(2))
      tries.is(upload.answers.at(-1)?.result, "done", "the owner's resend, answered")
      tries.is(upload.receipted, [0, 0], "what came, after a resend and its replays")
    }
    await time.settle(upload.stop(), minutes(1))
    return tries
  },
} satisfies Readonly<Record<string, Run>>

const RECEIPTS = newKey()

async function recordOne(camera: BenchCamera, spool: Spool, clips: number, size?: number): Promise<void> {
  for (let made = 0; made < clips; made++) {
    const object = await camera.segment(newClip(), 0, true, size)
    await spool.hold(object)
    await spool.release([object.facts.id])
  }
}
