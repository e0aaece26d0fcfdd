import { describe, expect, onTestFinished, test } from "vitest"
import { minutes, seconds } from "../../../harness/virtual/testing.ts"
import * as cameras from "../../../harness/virtual/virtual-camera.ts"
import { type Mistake, mutant } from "../../mutants.ts"

type Cameras = Pick<typeof cameras, "openVirtualCamera">

/** Leaves wake it three times, then somebody rings: what of that does the cloud, the owner and the disk know? */
async function leavesAndBell({ openVirtualCamera }: Cameras): Promise<void> {
  const camera = await openVirtualCamera({ scene: "windy-tree", eyes: "truth" })
  onTestFinished(() => camera.close())
  const { bucket } = camera.cloud
  const vault = camera.household.vault()
  for (let time = 0; time < 3; time++) {
    await camera.walkBy()
    await camera.advance(seconds(20))
    // Nothing of it is said, not even that there was something.
    expect((await vault?.view())?.clips).toEqual([])
    expect(camera.cloud.stats.objects).toBe(0)
    expect(await camera.board.disk.list("object.")).toEqual([])
  }
  expect(camera.lines.filter(({ event }) => event === "clip discarded")).toHaveLength(3)
  await camera.pressBell()
  await camera.advance(minutes(1))
  const view = await vault?.view()
  expect(view?.alerts).toEqual([])
  expect(view?.clips.map(({ whole }) => whole)).toEqual([true])
  // The chain begins with what was kept: no number is missing, and none says that it was dropped.
  const [clip] = view?.clips ?? []
  const listed = [...(clip?.segments ?? []), clip?.thumbnail, clip?.summary]
  expect(listed.filter((object) => object?.fate === "received")).toHaveLength(listed.length)
  expect(Math.min(...listed.map((object) => object?.sequence ?? Number.NaN))).toBe(0)
  expect(bucket.manifests(camera.household.camera?.id ?? "").length).toBeGreaterThan(0)
}

/** The others that are there to be made are rows of `obscura mutants`, which looks at the spool alone. */
const MISTAKE: Mistake = {
  path: "firmware/delivery/clip-writer.ts",
  from: "if (this.#verdict.keep) await this.#parts.spool.release(ids)",
  to: "if (ids.length > 0) await this.#parts.spool.release(ids)",
}

describe("a clip in which nobody is never leaves the camera, and leaves no gap", () => {
  test("holds", () => leavesAndBell(cameras))

  test("a camera that releases what was discarded is found out", async () => {
    const bent = await mutant<Cameras>("harness/virtual/virtual-camera.ts", MISTAKE)
    await expect(leavesAndBell(bent)).rejects.toMatchObject({ name: "AssertionError" })
  })
})
