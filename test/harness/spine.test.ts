import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { bucketSource } from "../../harness/owner/bucket-source.ts"
import { Vault } from "../../harness/owner/vault.ts"
import { judge } from "../support.ts"
import { type Home, openHome } from "./home.ts"

let home: Home
let seen: Awaited<ReturnType<typeof recordOneClip>>
beforeAll(async () => {
  home = await openHome()
  seen = await recordOneClip(home)
}, 40_000)
afterAll(() => home.close())

/** Pairs, records one clip while somebody walks by, and waits until the cloud has receipted all of it. */
async function recordOneClip(at: Home) {
  const camera = await at.pair()
  const stop = at.run()
  await at.line((line) => line.event === "connected")
  await at.board.clock.sleep(2_500)
  at.visitor.moves(true)
  await at.line((line) => line.event === "clip opened")
  expect(at.visitor.seesLight).toBe(true)
  await at.board.clock.sleep(1_500)
  at.visitor.moves(false)
  await at.line((line) => line.event === "clip recorded")
  await at.line((line) => line.event === "received" && line.to >= 4)
  await at.board.clock.sleep(300)
  await stop()
  expect(at.visitor.seesLight).toBe(false)
  const vault = new Vault(bucketSource(at.cloud.bucket), camera, at.keys.identity)
  return { camera, vault, view: await vault.view() }
}

/** The only clip that there is. */
function onlyClip() {
  const [clip] = seen.view.clips
  if (!clip) throw new Error("no clip")
  return clip
}

describe("one camera, from the lens to the owner", () => {
  test("a clip reaches its owner whole, with what its camera says of it", async () => {
    const { vault, view } = seen
    expect(home.lines.filter((line) => line.event === "fault")).toEqual([])
    expect(view.alerts).toEqual([])
    expect(view.clips).toHaveLength(1)
    const clip = onlyClip()
    expect([clip.whole, clip.ended, clip.segments.length >= 3]).toEqual([true, true, true])
    const summary = clip.summary ? JSON.parse(Buffer.from(await vault.open(clip.summary)).toString()) : null
    expect(summary).toMatchObject({
      clip: clip.clip,
      trigger: "motion",
      by: "no frames",
      segments: clip.segments.length,
    })
    expect(clip.thumbnail).not.toBeNull()
  })

  test.skipIf(judge("age") === null)("stock age opens it, object by object, to the same film", async () => {
    writeFileSync(join(home.directory, "key"), `${home.keys.householdSecret}\n`)
    const opened: Buffer[] = []
    for (const { entry } of onlyClip().segments) {
      const sealed = join(home.directory, `${entry.index}.age`)
      await home.cloud.bucket.extract(entry.id, sealed)
      const command = ["-d", "-i", join(home.directory, "key"), sealed]
      opened.push(execFileSync("age", command, { maxBuffer: 2 ** 27 }))
    }
    expect(Buffer.concat(opened).equals(await seen.vault.openClip(onlyClip()))).toBe(true)
  })

  test.skipIf(judge("ffprobe") === null)("a player that is not ours decodes every frame of it", async () => {
    const film = join(home.directory, "clip.mp4")
    writeFileSync(film, await seen.vault.openClip(onlyClip()))
    const entries = "stream=nb_read_frames,width,height,codec_name"
    const command = ["-v", "error", "-count_frames", "-show_entries", entries, "-of", "json", film]
    const [stream] = JSON.parse(execFileSync("ffprobe", command, { encoding: "utf8" })).streams
    expect(stream).toMatchObject({ codec_name: "h264", width: 1280, height: 720 })
    expect(Number(stream.nb_read_frames)).toBeGreaterThan(40)
  })
})
