import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import type { Segment } from "../../../firmware/clip.ts"
import type { MediaFlaw } from "../../../firmware/log.ts"
import { AccessUnitParser, type DecodableUnit } from "../../../firmware/media/annexb.ts"
import { still } from "../../../firmware/media/muxer.ts"
import { type SegmentOptions, segmentsOf } from "../../../firmware/media/segments.ts"
import type { PictureTime } from "../../../firmware/ports.ts"
import { judge } from "../../support.ts"
import { footage, readFilm } from "./film.ts"
import { annexB, hexOf, type Picture, pictures, sps } from "./synthetic.ts"

const FRAME = 6_000
const folder = mkdtempSync(join(tmpdir(), "obscura-segments-"))
afterAll(() => rmSync(folder, { recursive: true }))

const steps = (bytes: number) => Math.ceil(bytes / 4_096) * 4_096

function parse(stream: readonly Uint8Array[], times: readonly PictureTime[]): DecodableUnit[] {
  const parser = new AccessUnitParser({
    framesPerSecond: 15,
    onFlaw: (flaw) => {
      throw new Error(flaw)
    },
  })
  return stream.flatMap((bytes, i) =>
    parser.push({ bytes, at: i, timing: times.slice(i, i + 1), endsUnit: true }),
  )
}

const synthetic = (all: readonly Picture[], period = FRAME, delay = 2) =>
  parse(
    all.map(({ nals }) => annexB(nals)),
    all.map(({ shown }, i) => ({ dts: 77_000 + i * period, pts: 77_000 + (shown + delay) * period })),
  )

async function cut(units: readonly DecodableUnit[], options: Partial<SegmentOptions> = {}) {
  const flaws: MediaFlaw[] = []
  const longGroups: number[] = []
  const segments: Segment[] = []
  const all = segmentsOf(
    (async function* () {
      yield* units
    })(),
    {
      segmentMin: 1_000,
      clipMax: 3_600_000,
      pad: steps,
      until: () => false,
      onLongGroup: (duration) => longGroups.push(duration),
      onFlaw: (flaw) => flaws.push(flaw),
      ...options,
    },
  )
  for await (const segment of all) segments.push(segment)
  return { segments, flaws, longGroups, joined: Buffer.concat(segments.map(({ bytes }) => bytes)) }
}

const total = (segments: readonly Segment[]) => segments.reduce((sum, { duration }) => sum + duration, 0)

describe.for(["car-detection.mp4", "one-by-one-person-detection.mp4"])(
  "the joined segments of %s",
  (name) => {
    test("hold every access unit bit for bit, at its time from 0 on", async ({ skip }) => {
      const real = await footage(name)
      if (real === null) return skip("footage is missing")
      const units = parse(real.stream, real.film.units)
      const { joined, segments, flaws } = await cut(units)
      expect(flaws).toEqual([])
      const read = await readFilm(joined)
      expect(hexOf(read.units)).toEqual(hexOf(real.film.units))
      const first = real.film.units[0]?.pts ?? 0
      expect(read.units.map(({ pts }) => pts)).toEqual(real.film.units.map(({ pts }) => pts - first))
      expect(read.units.map(({ keyFrame }) => keyFrame)).toEqual(
        real.film.units.map(({ keyFrame }) => keyFrame),
      )
      expect([read.width, read.height, read.codec]).toEqual([
        real.film.width,
        real.film.height,
        real.film.codec,
      ])
      expect(read.duration).toBeCloseTo(real.film.duration, 4)
      expect(total(segments) / 90_000).toBeCloseTo(real.film.duration, 4)
      expect(segments.at(-1)?.last).toBe(true)
    })

    test("decode whole, in ffmpeg, with the right times and duration", async ({ skip }) => {
      const real = await footage(name)
      const tools = [judge("ffprobe"), judge("ffmpeg")]
      if (real === null || tools.includes(null)) return skip("footage, ffprobe or ffmpeg is missing")
      const { joined } = await cut(parse(real.stream, real.film.units))
      const path = join(folder, name)
      writeFileSync(path, joined)
      const shown = spawnSync(
        "ffprobe",
        ["-v", "error", "-show_entries", "format=duration", "-of", "json", path],
        {
          encoding: "utf8",
        },
      )
      expect(shown.stderr).toBe("")
      const { format } = JSON.parse(shown.stdout) as { format: { duration: string } }
      // A line for each picture that it has decoded, at its time.
      const asDecoded = ["-fps_mode", "passthrough", "-copyts", "-enc_time_base", "-1", "-f", "framecrc", "-"]
      const decoded = spawnSync("ffmpeg", ["-v", "error", "-xerror", "-i", path, ...asDecoded], {
        encoding: "utf8",
        maxBuffer: 1e8,
      })
      expect([decoded.status, decoded.stderr]).toEqual([0, ""])
      expect(decoded.stdout).toMatch(/^#tb 0: 1\/90000$/m)
      const shownAt = [...decoded.stdout.matchAll(/^0, *\d+, *(\d+),/gm)].map(([, pts]) => Number(pts))
      const first = real.film.units[0]?.pts ?? 0
      const times = real.film.units.map(({ pts }) => pts - first).sort((a, b) => a - b)
      expect(shownAt).toEqual(times)
      expect(Number(format.duration)).toBeCloseTo(real.film.duration, 3)
    })
  },
)

describe("a segment", () => {
  test("ends at the first key frame after its minimum, and comes as soon as that is seen", async () => {
    const units = synthetic(pictures({ groups: 6, perGroup: 10 })) // a GOP is 2/3 s
    let seen = 0
    const source = async function* () {
      for (const unit of units) {
        seen++
        yield unit
      }
    }
    const at: number[] = []
    const options = { segmentMin: 1_000, clipMax: 60_000, pad: steps, until: () => false }
    for await (const { units: count } of segmentsOf(source(), options)) at.push(seen, count)
    expect(at).toEqual([21, 20, 41, 20, 60, 20])
  })

  test("is as large as its padding says, padded by zeros in a free box, which is never too small for one", async () => {
    const units = synthetic(pictures({ groups: 1 }))
    const bare = (await cut(units, { pad: (bytes) => bytes })).joined.length
    for (let room = 0; room <= 20; room++) {
      const step = bare + room
      const { segments, joined } = await cut(units, { pad: (bytes) => (bytes <= step ? step : step + 100) })
      const padding = room === 0 || room >= 8 ? room : room + 100
      expect(segments[0]).toMatchObject({ padding })
      expect(joined).toHaveLength(bare + padding)
      if (padding > 0) {
        const free = joined.subarray(-padding)
        expect([free.readUInt32BE(0), free.toString("latin1", 4, 8)]).toEqual([padding, "free"])
        expect(free.subarray(8).every((byte) => byte === 0)).toBe(true)
      }
      expect(hexOf((await readFilm(joined)).units)).toEqual(hexOf(units))
    }
  })

  test("of a GOP without end is cut where it grows too large", async () => {
    const units = synthetic(pictures({ groups: 1, perGroup: 100, sliceBytes: 100 }))
    const { segments, joined } = await cut(units, { segmentBytesMax: 2_000 })
    expect(segments.length).toBeGreaterThan(4)
    expect(hexOf((await readFilm(joined)).units)).toEqual(hexOf(units))
  })

  test("much longer than asked for, for want of key frames, is told once a clip", async () => {
    const { longGroups, segments } = await cut(synthetic(pictures({ groups: 3, perGroup: 72 })))
    expect(longGroups).toEqual([4_800])
    expect(segments.map(({ units }) => units)).toEqual([72, 72, 72])
  })
})

describe("a clip", () => {
  const units = synthetic(pictures({ groups: 10, perGroup: 15 }))

  test.for([12.5, 15, 23.976, 29.97, 60])(
    "has the right times and duration at %d pictures a second",
    async (framesPerSecond) => {
      const period = 90_000 / framesPerSecond
      const times = units.map((_, i) => Math.round(i * period))
      const { joined } = await cut(
        units.map((unit, i) => ({ ...unit, dts: times[i] ?? 0, pts: times[i] ?? 0 })),
      )
      const read = await readFilm(joined)
      expect(read.units.map(({ pts }) => pts)).toEqual(times)
      expect(read.duration).toBeCloseTo(150 / framesPerSecond, 3)
    },
  )

  test("ends before the first unit that is said to be too late", async () => {
    const { segments } = await cut(units, { until: (unit) => unit === units[37] })
    expect(segments.map((segment) => [segment.units, segment.last])).toEqual([
      [15, false],
      [15, false],
      [7, true],
    ])
    expect(total(segments)).toBe(37 * FRAME)
  })

  test("ends at its maximum length", async () => {
    const { segments } = await cut(units, { clipMax: 3_000 })
    expect(total(segments)).toBe(270_000)
    expect(segments.map(({ last }) => last)).toEqual([false, false, true])
  })

  test("with B-frames ends where no picture before its last one is missing", async () => {
    const reordered = synthetic(pictures({ groups: 2, perGroup: 13, bFrames: true }))
    for (let end = 1; end < 26; end++) {
      const { joined } = await cut(reordered, { until: (unit) => unit === reordered[end] })
      const shown = (await readFilm(joined)).units.map(({ pts }) => pts / FRAME).sort((a, b) => a - b)
      expect(shown).toEqual(shown.map((_, i) => i))
      expect(shown.length).toBeGreaterThanOrEqual(end)
      expect(shown.length).toBeLessThan(end + 3)
    }
  })

  test("ends where the picture size changes, and that is told", async () => {
    const other = pictures({ groups: 1, sps: sps({ columns: 80 }) })
    const changed = synthetic([
      ...pictures({ groups: 2, perGroup: 15 }),
      ...other.map((p, i) => ({ ...p, shown: 30 + i })),
    ])
    const { segments, flaws, joined } = await cut(changed)
    expect(flaws).toEqual(["changed picture size"])
    expect(segments.at(-1)?.last).toBe(true)
    expect(hexOf((await readFilm(joined)).units)).toEqual(hexOf(changed.slice(0, 30)))
  })

  test("without a key frame has no segments", async () => {
    expect((await cut(units.slice(1, 10))).segments).toEqual([])
    expect((await cut([])).segments).toEqual([])
  })
})

test("a segment is the same whatever the reads in which its pictures came", async () => {
  const all = pictures({ groups: 3, perGroup: 4, slices: 2, sliceBytes: 30_000 })
  const inReadsOf = async (size: number) => {
    const parser = new AccessUnitParser({ framesPerSecond: 15, onFlaw: expect.unreachable })
    const units = all.flatMap(({ nals }, i) => {
      const picture = annexB(nals)
      const reads = Array.from({ length: Math.ceil(picture.length / size) }, (_, read) => read * size)
      const timing = [{ pts: i * FRAME, dts: i * FRAME }]
      return reads.flatMap((from) => {
        const bytes = picture.subarray(from, from + size)
        return parser.push({ bytes, at: i, timing, endsUnit: from + size >= picture.length })
      })
    })
    const { segments } = await cut(units, { segmentMin: 200 })
    return segments.map((segment) => ({ ...segment, bytes: Buffer.from(segment.bytes).toString("base64") }))
  }
  const whole = await inReadsOf(Number.MAX_SAFE_INTEGER)
  expect(whole).toHaveLength(3)
  for (const size of [65_536, 16_384, 10_007, 100]) expect(await inReadsOf(size)).toEqual(whole)
})

test("a still is one key frame, padded, that plays", async ({ skip }) => {
  const real = await footage("car-detection.mp4")
  if (real === null) return skip("footage is missing")
  const [unit] = parse(real.stream.slice(0, 1), real.film.units)
  if (unit === undefined) throw new Error("no key frame")
  const bytes = still(unit, () => 65_536, Buffer.from("{}"))
  expect(bytes).toHaveLength(65_536)
  const read = await readFilm(bytes)
  expect(hexOf(read.units)).toEqual(hexOf([unit]))
  if (judge("ffmpeg") === null) return skip("ffmpeg is missing")
  const decoded = spawnSync("ffmpeg", ["-v", "error", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-"], {
    input: bytes,
    maxBuffer: 1e8,
  })
  expect(decoded.stdout).toHaveLength(768 * 432)
})
