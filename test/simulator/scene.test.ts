import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { loadScene, SCENES, unitsOf } from "../../simulator/footage.ts"
import { SCENE_FRAMES, Scene, scripts } from "../../simulator/scene/scenes.ts"
import { boxesFromCsv, eventsFromCsv, isVisitor } from "../../simulator/scene/truth.ts"
import { writeSei } from "../../simulator/sei.ts"
import { judge, root } from "../support.ts"

const ffprobe = judge("ffprobe")

describe.each(SCENES)("the scene %s", (name) => {
  const path = join(root, "simulator/scene/footage", `${name}.h264`)

  test("is a camera's stream: ten closed groups of one second, each with its parameter sets", async () => {
    const footage = await loadScene(name)
    expect(footage).toMatchObject({ width: 1280, height: 720, framesPerSecond: 15, frames: 150 })
    expect(footage.groups.map((group) => group.units)).toEqual(Array(10).fill(15))
    for (const group of footage.groups) {
      const [first, ...others] = unitsOf(group).map(({ nals }) => nals.map((nal) => (nal[0] ?? 0) & 0x1f))
      expect(first).toEqual([7, 8, 5])
      expect(others).toEqual(Array(14).fill([1]))
    }
    const groupBytes = footage.groups.reduce((sum, group) => sum + group.bytes.length, 0)
    expect(groupBytes).toBe((await readFile(path)).length)
  })

  test("tells a truth that stays within clip and picture, five boxes a second while a visitor is there", async () => {
    const { events, boxes } = await loadScene(name)
    const visits = events.filter((event) => isVisitor(event.label))
    for (const event of events) expect(event.end).toBeLessThanOrEqual(10)
    for (const box of boxes)
      expect(visits.some((visit) => visit.start <= box.time && box.time < visit.end)).toBe(true)
    for (const { start, end, label } of visits) {
      const seen = boxes.filter((box) => box.label === label && box.time >= start && box.time < end)
      expect(seen.length).toBeGreaterThanOrEqual((end - start) * 5)
    }
  })

  test.skipIf(!ffprobe)("decodes whole elsewhere, as Baseline", () => {
    const [stream] = probe(path)
    expect(stream).toMatchObject({
      profile: "Constrained Baseline",
      has_b_frames: 0,
      nb_read_frames: "150",
      avg_frame_rate: "15/1",
    })
  })
})

test.skipIf(!ffprobe)("three loops joined with marks decode every frame", async () => {
  const footage = await loadScene("day-person")
  const folder = await mkdtemp(join(tmpdir(), "obscura-"))
  const path = join(folder, "joined.h264")
  const loops = [0, 1, 2].flatMap((loop) =>
    footage.groups.flatMap((group, index) => [
      writeSei({ camera: 0, group: loop * 10 + index, canary: "canary" }),
      group.bytes,
    ]),
  )
  await writeFile(path, Buffer.concat(loops))
  const [stream] = probe(path)
  await rm(folder, { recursive: true })
  expect(stream?.nb_read_frames).toBe("450")
})

test("every script has its footage, and the footage's truth is the script's", async () => {
  expect(scripts.map((script) => script.name)).toEqual([...SCENES])
  for (const script of scripts) {
    const drawn = new Scene(script, { width: 64, height: 36 }).truth()
    const { events, boxes } = await loadScene(script.name as (typeof SCENES)[number])
    expect(events.map(({ label }) => label)).toEqual(drawn.events.map(({ label }) => label))
    expect(boxes.length).toBe(drawn.boxes.length)
    for (const [index, box] of boxes.entries())
      expect(box.left).toBeCloseTo(drawn.boxes[index]?.left ?? -1, 3)
  }
})

describe("a drawing", () => {
  const draw = (seed: number, frame = 60) =>
    createHash("sha256")
      .update(new Scene(firstScript(), { width: 160, height: 90, seed }).frame(frame))
      .digest("hex")

  test("is the same for the same seed, on every machine", () => {
    expect(draw(1)).toBe("9a2daa35dfbc06b9b9edcb18d79ac0a3dbcc5e8accf5a3a6b55df1f003004414")
  })

  test("is another for another seed", () => {
    expect(draw(2)).not.toBe(draw(1))
  })

  test("does not depend on the frames drawn before", () => {
    const scene = new Scene(firstScript(), { width: 160, height: 90 })
    scene.frame(3)
    scene.frame(SCENE_FRAMES - 1)
    expect(createHash("sha256").update(scene.frame(60)).digest("hex")).toBe(draw(1))
  })

  function firstScript() {
    const [script] = scripts
    if (!script) throw new Error("no scripts")
    return script
  }
})

describe("a truth table", () => {
  test.each([
    "",
    "start,end\n0,1,person\n",
    "start,end,label\n0,1,ghost\n",
    "start,end,label\n2,1,person\n",
    "start,end,label\n-1,1,person\n",
    "start,end,label\nx,1,person\n",
  ])("of events is refused when wrong: %j", (text) => {
    expect(() => eventsFromCsv(text, "a.csv")).toThrow(/^a\.csv: /)
  })

  test.each([
    "time,label,left,top,right,bottom\n0,person,0,0,1\n",
    "time,label,left,top,right,bottom\n0,leaves,0,0,1,1\n",
    "time,label,left,top,right,bottom\n0,person,0.5,0,0.4,1\n",
    "time,label,left,top,right,bottom\n0,person,0,0,1.1,1\n",
    "time,label,left,top,right,bottom\nNaN,person,0,0,1,1\n",
  ])("of boxes is refused when wrong: %j", (text) => {
    expect(() => boxesFromCsv(text, "a.csv")).toThrow(/^a\.csv: line 2 /)
  })
})

function probe(path: string): Record<string, unknown>[] {
  const text = execFileSync(
    "ffprobe",
    ["-v", "error", "-count_frames", "-show_streams", "-of", "json", path],
    { encoding: "utf8" },
  )
  return (JSON.parse(text) as { streams: Record<string, unknown>[] }).streams
}
