import type { PublicKey } from "../../../firmware/control/keys.ts"
import { minutes, seconds } from "../../../firmware/units.ts"
import { bucketSource } from "../../owner/bucket-source.ts"
import { readChain } from "../../owner/chain-view.ts"
import { NOTHING_SEEN, readTail } from "../../owner/tail.ts"
import { memoryCloud } from "../../virtual/memory-cloud.ts"
import { openVirtualCamera } from "../../virtual/virtual-camera.ts"
import { type Run, Tries } from "../check.ts"
import { type Withholding, withholding } from "../worlds/withholding.ts"

/** What of an upload can be withheld; and of each whether the camera then keeps what it has recorded. */
const OF_AN_UPLOAD = [
  ["manifest", true],
  ["chunk", true],
  ["have", false],
  ["receipt", true],
  ["beat", false],
  ["gone", false],
] as const

export const checks = {
  "withheld-upload": async () => {
    const tries = new Tries()
    for (const [name, keeps] of OF_AN_UPLOAD) {
      const between = withholding(await memoryCloud())
      const camera = await openVirtualCamera({ cloud: between.cloud })
      const { household } = camera
      const key = household.camera
      if (!key) throw new Error("not paired")
      await camera.advance(minutes(1))
      const before = (await lookThrough(between, key, minutes(1))).seen
      between.withhold(name)
      await camera.walkBy(seconds(3))
      await camera.advance(minutes(1))
      if (name === "gone") household.cutConnection()
      await camera.advance(minutes(14))
      tries.is(household.fault, null, `the end of a camera of which ${name} is withheld`)
      const onDisk = (await camera.board.disk.list("object.")).length
      if (keeps) tries.holds(onDisk > 0, `with ${name} withheld the camera has let go of what nobody has`)
      const { alerts, silentSince } = await lookThrough(between, key, minutes(16), before)
      const isWhole = camera.delivered.length === 1
      const isTold = alerts.length > 0 || silentSince !== null
      tries.holds((isWhole && name !== "beat") || isTold, `the owner is not told that ${name} is withheld`)
      between.withhold(null)
      await camera.advance(minutes(5))
      tries.is(camera.delivered.length, 1, `whole clips once ${name} is let through`)
      const after = await lookThrough(between, key, minutes(21), before)
      tries.is(
        [after.alerts, after.silentSince],
        [[], null],
        `what the owner is told once ${name} is let through`,
      )
      tries.is(household.fault, null, `the end of a camera of which ${name} was withheld`)
      await camera.close()
      await between.cloud.close()
    }
    return tries
  },
} satisfies Readonly<Record<string, Run>>

/** As an owner looks, through that cloud. */
async function lookThrough({ cloud, beat }: Withholding, key: PublicKey, at: number, seen = NOTHING_SEEN) {
  const chain = readChain(await bucketSource(cloud.bucket).manifests(key.id), key)
  return readTail(chain, beat, key, seen, at)
}
