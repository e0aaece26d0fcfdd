import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, test } from "vitest"
import { bucketSource } from "../../harness/owner/bucket-source.ts"
import { Vault } from "../../harness/owner/vault.ts"
import { judge } from "../support.ts"
import { type Home, openHome } from "./home.ts"

let home: Home | null = null
afterEach(async () => {
  await home?.close()
  home = null
})

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

describe("one camera, from the lens to the owner", () => {
  test("a clip reaches its owner whole, opens with stock age and plays", async () => {
    home = await openHome()
    const { vault, view } = await recordOneClip(home)
    expect(home.lines.filter((line) => line.event === "fault")).toEqual([])
    expect(view.alerts).toEqual([])
    expect(view.clips).toHaveLength(1)
    const [clip] = view.clips
    if (!clip) throw new Error("no clip")
    expect([clip.whole, clip.ended, clip.segments.length >= 3]).toEqual([true, true, true])

    const age = judge("age")
    const ffprobe = judge("ffprobe")
    const film = join(home.directory, "clip.mp4")
    if (age) {
      writeFileSync(join(home.directory, "key"), `${home.keys.householdSecret}\n`)
      const opened = clip.segments.map(({ entry }) => {
        const sealed = join(home?.directory ?? "", `${entry.index}.age`)
        return home?.cloud.bucket.extract(entry.id, sealed).then(() =>
          execFileSync("age", ["-d", "-i", join(home?.directory ?? "", "key"), sealed], {
            maxBuffer: 2 ** 27,
          }),
        )
      })
      const joined = Buffer.concat((await Promise.all(opened)).filter((part) => part !== undefined))
      expect(joined.equals(await vault.openClip(clip))).toBe(true)
    }
    writeFileSync(film, await vault.openClip(clip))
    if (ffprobe) {
      const frames = execFileSync(
        "ffprobe",
        [
          "-v",
          "error",
          "-count_frames",
          "-show_entries",
          "stream=nb_read_frames,width,height,codec_name",
          "-of",
          "json",
          film,
        ],
        { encoding: "utf8" },
      )
      expect(JSON.parse(frames).streams[0]).toMatchObject({ codec_name: "h264", width: 1280, height: 720 })
      expect(Number(JSON.parse(frames).streams[0].nb_read_frames)).toBeGreaterThan(40)
    }
    const summary = clip.summary ? JSON.parse(Buffer.from(await vault.open(clip.summary)).toString()) : null
    expect(summary).toMatchObject({
      clip: clip.clip,
      trigger: "motion",
      by: "no model",
      segments: clip.segments.length,
    })
    expect(clip.thumbnail).not.toBeNull()
  }, 40_000)
})
