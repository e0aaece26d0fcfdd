import { execFileSync } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { loadFilm } from "../../simulator/film.ts"
import { type Footage, unitsOf } from "../../simulator/footage.ts"
import { parseMotion, printMotion, seededMotion } from "../../simulator/motion.ts"
import { nalSpans, START_CODE } from "../../simulator/nals.ts"
import { seededRandom } from "../../simulator/random.ts"
import { expectedUnits } from "../../simulator/shot.ts"
import { judge, sharedData } from "../support.ts"

const people = sharedData("footage/one-by-one-person-detection.mp4")
const cars = sharedData("footage/car-detection.mp4")
const tools = judge("ffmpeg") !== null && judge("ffprobe") !== null

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-"))
})
afterAll(() => rm(folder, { recursive: true }))

const ffmpeg = (...options: string[]) => execFileSync("ffmpeg", ["-v", "error", "-y", ...options])
const timesOf = (footage: Footage) =>
  footage.groups.flatMap(({ start, timing }) =>
    timing.map(({ pts, dts }) => ({ pts: pts + start, dts: dts + start })),
  )

/** A second of test pictures, as asked. */
function made(name: string, ...options: string[]): string {
  const path = join(folder, name)
  ffmpeg("-f", "lavfi", "-i", "testsrc2=s=192x108:r=20:d=3", ...options, path)
  return path
}

describe.skipIf(!people || !tools)("a film with B-frames", () => {
  const path = people ?? ""

  test("keeps every picture, and both its times as another demuxer reads them", async () => {
    const { footage, warnings } = await loadFilm(path)
    expect(footage).toMatchObject({ frames: 1_394, width: 768, height: 432, framesPerSecond: 10 })
    expect(warnings).toEqual([])
    const times = timesOf(footage)
    const first = packetTimes(path)[0]
    expect(times).toEqual(packetTimes(path).map(({ pts, dts }) => relative(pts, dts, first?.dts ?? 0)))
    expect(times.some(({ pts, dts }) => pts !== dts)).toBe(true)
  })

  test("holds the very pictures of the film", async () => {
    const { footage } = await loadFilm(path)
    const joined = join(folder, "people.h264")
    await writeFile(joined, Buffer.concat(footage.groups.map((group) => group.bytes)))
    expect(pictureHashes(joined)).toEqual(pictureHashes(path))
  })

  test("goes on in time when it loops", async () => {
    const { footage } = await loadFilm(path)
    const groups = footage.groups.length
    const units = [...expectedUnits({ footage, camera: 0, canary: "c" }, groups - 1, groups + 1)]
    const steps = units.slice(1).map((unit, index) => unit.dts - (units[index]?.dts ?? 0))
    expect(new Set(steps)).toEqual(new Set([9_000]))
    for (const unit of units) expect(unit.pts).toBeGreaterThanOrEqual(unit.dts)
  })
})

describe.skipIf(!cars || !tools)("a film with long groups of pictures", () => {
  const path = cars ?? ""

  test("is taken as it is, and says so", async () => {
    const { footage, warnings } = await loadFilm(path)
    expect(footage).toMatchObject({ frames: 377, framesPerSecond: 12.5 })
    expect(footage.groups[0]).toMatchObject({ units: 60, duration: 4.8 * 90_000 })
    expect(warnings).toEqual([expect.stringContaining("4.8 s between key frames")])
    for (const group of footage.groups)
      expect(unitsOf(group)[0]?.nals.map((nal) => (nal[0] ?? 0) & 0x1f)).toEqual([7, 8, 5])
  })

  test("cut at 60 %, gives what is whole and says what is missing", async () => {
    const whole = await readFile(path)
    const cut = join(folder, "cut.mp4")
    await writeFile(cut, whole.subarray(0, whole.length * 0.6))
    const { footage, warnings } = await loadFilm(cut)
    expect(footage.frames).toBe(220)
    expect(warnings[0]).toBe("cut.mp4: was cut short; 157 pictures are missing from its end")
  })

  test("cut before its first picture, is refused", async () => {
    const cut = join(folder, "head.mp4")
    await writeFile(cut, (await readFile(path)).subarray(0, 20_000))
    await expect(loadFilm(cut)).rejects.toThrow("head.mp4: holds no whole key frame")
  })
})

describe.skipIf(!tools)("films of other shapes", () => {
  test("a raw stream with B-frames gets its order from the pictures and its rate from the stream", async () => {
    const mp4 = made("order.mp4", "-c:v", "libx264", "-g", "20", "-bf", "3")
    const raw = join(folder, "order.h264")
    ffmpeg("-i", mp4, "-c", "copy", "-bsf:v", "h264_mp4toannexb", raw)
    const fromRaw = (await loadFilm(raw)).footage
    expect(fromRaw.framesPerSecond).toBe(20)
    expect(timesOf(fromRaw)).toEqual(timesOf((await loadFilm(mp4)).footage))
    expect((await loadFilm(raw, { framesPerSecond: 10 })).footage.duration).toBe(2 * fromRaw.duration)
  })

  test("Matroska and QuickTime give the same pictures as MP4", async () => {
    const mp4 = made("one.mp4", "-c:v", "libx264", "-g", "20")
    const { footage } = await loadFilm(mp4)
    for (const name of ["one.mkv", "one.mov"]) {
      const path = join(folder, name)
      ffmpeg("-i", mp4, "-c", "copy", path)
      const other = (await loadFilm(path)).footage
      expect(other.frames).toBe(60)
      expect(other.groups.map(({ bytes }) => Buffer.from(bytes))).toEqual(
        footage.groups.map(({ bytes }) => Buffer.from(bytes)),
      )
    }
  })

  test("a raw stream with delimiters and parameter sets only at its start gets the sets everywhere", async () => {
    const raw = made("once.h264", "-c:v", "libx264", "-g", "20", "-bf", "0", "-x264-params", "aud=1")
    const everywhere = await readFile(raw)
    const nals = nalSpans(everywhere).map(({ begin, end }) => everywhere.subarray(begin, end))
    const isSet = (nal: Uint8Array) => [7, 8].includes((nal[0] ?? 0) & 0x1f)
    const once = nals.filter((nal, index) => index < 5 || !isSet(nal))
    await writeFile(raw, Buffer.concat(once.flatMap((nal) => [START_CODE, nal])))
    const { footage } = await loadFilm(raw)
    expect(footage.groups.length).toBe(3)
    for (const group of footage.groups) {
      const types = unitsOf(group)[0]?.nals.map((nal) => (nal[0] ?? 0) & 0x1f) ?? []
      expect(types.filter((type) => type !== 6)).toEqual([9, 7, 8, 5])
      expect(group.delimiterBytes).toBeGreaterThan(4)
    }
  })

  test.each([
    [
      "sound.mp4",
      ["-vn", "-f", "lavfi", "-i", "sine=d=1", "-map", "1:a", "-c:a", "aac"],
      "sound.mp4: has sound but no pictures",
    ],
    [
      "new.mp4",
      ["-c:v", "libx265", "-x265-params", "log-level=none"],
      "new.mp4: holds HEVC (H.265), and cameras send H.264; convert it with: ffmpeg",
    ],
    ["nine.mkv", ["-c:v", "libvpx-vp9", "-deadline", "realtime"], "nine.mkv: holds VP9, "],
    ["rows.h264", ["-c:v", "libx264", "-flags", "+ildct+ilme"], "rows.h264: is interlaced"],
  ])("%s is refused with what to do", async (name, options, message) => {
    await expect(loadFilm(made(name, ...options))).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringContaining(message),
    })
  })
})

describe("what is no film", () => {
  test.each([
    ["text.mp4", "Dear diary, this is not a film.", "malformed", /^text\.mp4: is no film; give /],
    ["text.h264", "Dear diary", "malformed", /^text\.h264: holds no key frame/],
    ["empty.mp4", "", "malformed", /^empty\.mp4: is empty/],
  ])("%s is refused in one line", async (name, content, kind, message) => {
    const path = join(folder, name)
    await writeFile(path, content)
    const refusal = loadFilm(path)
    await expect(refusal).rejects.toMatchObject({ kind, message: expect.stringMatching(message) })
    await expect(refusal).rejects.not.toThrow("\n")
  })

  test("a file that is not there, or is a folder, is refused", async () => {
    await expect(loadFilm(join(folder, "gone.mp4"))).rejects.toMatchObject({ kind: "usage" })
    await expect(loadFilm(folder)).rejects.toMatchObject({ kind: "usage" })
  })

  test.skipIf(!cars)(
    "a film damaged anywhere ends in a fault or a film, never in anything else",
    async () => {
      const whole = await readFile(cars ?? "")
      const random = seededRandom(11)
      for (let round = 0; round < 12; round++) {
        const damaged = Buffer.from(whole.subarray(0, 400_000))
        for (let byte = 0; byte < 40; byte++)
          damaged[Math.floor(random.next() * 12_000)] = Math.floor(random.next() * 256)
        const path = join(folder, `damaged${round % 2 ? ".mp4" : ".h264"}`)
        await writeFile(path, damaged)
        await loadFilm(path).catch((error: Error) => expect(error.name).toBe("Fault"))
      }
    },
  )
})

describe("--motion", () => {
  test("reads moments and spans, joins what overlaps, and prints what it would read", () => {
    const spans = parseMotion("12s-20s, 3s,4-5.5s", 30)
    expect(spans).toEqual([
      { start: 3, end: 5.5 },
      { start: 12, end: 20 },
    ])
    expect(parseMotion(printMotion(spans), 30)).toEqual(spans)
    expect(parseMotion("25-99", 30)).toEqual([{ start: 25, end: 30 }])
  })

  test.each(["", "x", "3s,", "5-3", "-3s", "31", "1-2-3", "3m"])("refuses %j", (text) => {
    expect(() => parseMotion(text, 30)).toThrow(/^--motion: /)
  })

  test("by default is seeded, inside the film, and printable", () => {
    for (const duration of [1, 10, 139.4, 600]) {
      const spans = seededMotion(duration, seededRandom(3))
      expect(spans).toEqual(seededMotion(duration, seededRandom(3)))
      expect(spans.length).toBeGreaterThan(0)
      expect(parseMotion(printMotion(spans), duration)).toEqual(spans)
    }
  })
})

function packetTimes(path: string): { pts: number; dts: number }[] {
  const text = execFileSync(
    "ffprobe",
    [
      "-v",
      "error",
      "-select_streams",
      "v",
      "-show_packets",
      "-show_entries",
      "packet=pts_time,dts_time",
      "-of",
      "json",
      path,
    ],
    { encoding: "utf8", maxBuffer: 1 << 26 },
  )
  const { packets } = JSON.parse(text) as { packets: { pts_time: string; dts_time: string }[] }
  return packets.map(({ pts_time, dts_time }) => ({ pts: Number(pts_time), dts: Number(dts_time) }))
}

function relative(pts: number, dts: number, first: number) {
  return { pts: Math.round((pts - first) * 90_000), dts: Math.round((dts - first) * 90_000) }
}

/** One hash a decoded picture, in the order of showing. */
function pictureHashes(path: string): string[] {
  const text = execFileSync(
    "ffmpeg",
    ["-v", "error", "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-"],
    {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    },
  )
  return text
    .split("\n")
    .flatMap((line) => (line === "" || line.startsWith("#") ? [] : [line.split(",").at(-1)?.trim() ?? ""]))
}
