import { sign } from "../../../firmware/control/dsse.ts"
import { readChain } from "../../owner/chain-view.ts"
import { goneOf, readReceipt } from "../../owner/receipts.ts"
import { time } from "../../virtual/install.ts"
import { MemoryBucket } from "../../virtual/memory-bucket.ts"
import { type Run, Tries } from "../check.ts"
import { CloudDoor } from "../worlds/cloud-door.ts"
import { chunksOf, manifestOf, newKey, randomObject } from "../worlds/hand-camera.ts"

/** What a cloud signs for, and what an owner makes of it. */
export const checks = {
  "hashes-verified": async () => {
    const tries = new Tries()
    const door = await CloudDoor.open()
    for (const at of [10, 199, 200, 4_999]) {
      const object = randomObject(5_000)
      const bytes = Buffer.from(object.bytes)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      const manifest = manifestOf(door.camera, [object], { sequence: at })
      door.take("manifest", manifest.envelope)
      for (const chunk of chunksOf({ ...object, bytes })) door.take("chunk", chunk)
      await time.settle(door.ingest.drained(), 1_000)
      tries.is([door.count("receipt"), door.bucket.object(object.entry.id)], [0, null], `byte ${at} wrong`)
    }
    await time.settle(door.upload(manifestOf(door.camera, [randomObject(5_000)], { sequence: 9_000 })), 1_000)
    tries.is(door.count("receipt"), 1, "receipts for what is whole")
    return tries
  },

  "durable-first": async () => {
    const tries = new Tries()
    const door = await CloudDoor.open(new MemoryBucket({ writeTakes: 500 }))
    const manifest = manifestOf(door.camera, [randomObject(900), randomObject(70_000)])
    door.take("manifest", manifest.envelope)
    for (const object of manifest.objects) for (const chunk of chunksOf(object)) door.take("chunk", chunk)
    for (let waited = 0; waited < 1_000; waited += 100) {
      const durable = door.bucket.manifest(manifest.hash) !== null
      tries.holds(
        durable || door.count("receipt") === 0,
        `a receipt after ${waited} ms, and nothing is durable`,
      )
      await time.advance(100)
    }
    tries.is(door.count("receipt"), 1, "receipts once it is durable")
    return tries
  },

  "receipts-kept": async () => {
    const tries = new Tries()
    const [camera, cloud] = [newKey(), newKey()]
    const manifests = [0, 1, 2].map((sequence) => manifestOf(camera, [randomObject(99)], { sequence }))
    const receiptOf = (at: number, by = cloud, device = camera.id) =>
      sign("receipt", { device, manifest: manifests[at]?.hash ?? "", from: at, to: at }, by)
    tries.holds(readReceipt(receiptOf(0), camera.id, cloud) !== null, "the cloud's own receipt is not read")
    for (const foreign of [
      receiptOf(0, newKey()),
      receiptOf(0, camera),
      receiptOf(0, cloud, "ab".repeat(20)),
    ])
      tries.is(readReceipt(foreign, camera.id, cloud), null, "a receipt of nobody's, kept")
    const shown = manifests.filter((_, at) => at !== 1).map(({ envelope }) => envelope)
    const gone = goneOf(
      [0, 1, 2].map((at) => receiptOf(at)),
      readChain(shown, camera).links,
    )
    tries.is(gone, [{ from: 1, to: 1 }], "what was signed for and is not shown")
    return tries
  },
} satisfies Readonly<Record<string, Run>>
