import { execFileSync } from "node:child_process"
import { afterEach, describe, expect, test, vi } from "vitest"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { readFmp4 } from "../../../harness/owner/fmp4.ts"
import { editedFilm, parseArea } from "../../../harness/services/offering/edited-film.ts"
import { copySize, filmCopy, stillOf } from "../../../harness/services/offering/film-copy.ts"
import { newObject } from "../../../harness/services/offering/new-object.ts"
import { judge } from "../../support.ts"
import { CANARY } from "./clips.ts"
import { clip, film, keys } from "./workshop.ts"

const pictures = (bytes: Uint8Array) =>
  readFmp4(bytes).samples.map(({ nals }) =>
    sha256Hex(...nals.filter((nal) => [1, 5].includes((nal[0] ?? 0) & 31))),
  )

afterEach(() => vi.unstubAllEnvs())

describe("a copy of a clip", () => {
  test("has its pictures, from 0 on, and nothing that the camera wrote beside them", () => {
    expect(Buffer.from(clip).includes(CANARY)).toBe(true)
    expect(Buffer.from(film).includes(CANARY)).toBe(false)
    expect(pictures(film)).toEqual(pictures(clip))
    const { samples, fragments } = readFmp4(film)
    expect([samples[0]?.decodeTime, fragments]).toEqual([0, 1])
    expect(
      samples
        .flatMap(({ nals }) => nals.map((nal) => (nal[0] ?? 0) & 31))
        .every((type) => type === 1 || type === 5),
    ).toBe(true)
  })

  test("begins at a key frame that was chosen, never before it, and ends where it was told to", () => {
    const all = readFmp4(clip).samples
    const second = all.findIndex(({ keyFrame, decodeTime }) => keyFrame && decodeTime > 0)
    const at = (all[second]?.decodeTime ?? 0) / 90_000
    expect(pictures(filmCopy(clip, { from: at - 0.01, to: 99 }).bytes)).toEqual(pictures(clip).slice(second))
    expect(pictures(filmCopy(clip, { from: at, to: at + 0.01 }).bytes)).toEqual(
      pictures(clip).slice(second, second + 1),
    )
    expect(stillOf(clip, 0).pictures).toBe(1)
    for (const stretch of [
      { from: 99, to: 100 },
      { from: 1, to: 1 },
      { from: 0, to: 0 },
    ])
      expect(() => filmCopy(clip, stretch)).toThrow(expect.objectContaining({ kind: "usage" }))
    expect(() => filmCopy(Buffer.alloc(2_000))).toThrow(expect.objectContaining({ kind: "malformed" }))
  })

  test("weighs a power of two, and is another file under another name each time", async () => {
    for (const bytes of [1, 262_144, 262_145, 5_000_000]) {
      const size = copySize(bytes)
      expect(
        size >= bytes && size >= 262_144 && Math.log2(size) % 1 === 0 && size < 2 * Math.max(bytes, 262_144),
      ).toBe(true)
    }
    const [one, two] = await Promise.all([1, 2].map(() => newObject(film, keys.householdRecipient)))
    expect(one?.id).not.toBe(two?.id)
    expect(one?.hash).not.toBe(two?.hash)
    expect(one?.file.length).toBe(two?.file.length)
  })
})

describe("with ffmpeg, before anything leaves", () => {
  const here = judge("ffmpeg")
  const short = filmCopy(clip, { from: 0, to: 0.5 })

  test.skipIf(here === null)(
    "what is outside the crop is gone from every picture",
    async () => {
      const cropped = await editedFilm(short, { crop: { x: 320, y: 180, width: 640, height: 360 } })
      expect([frameOf(cropped.bytes).length, cropped.pictures]).toEqual([640 * 360, 5])
      expect(Buffer.from(cropped.bytes).includes("x264")).toBe(false)
    },
    30_000,
  )

  test.skipIf(here === null)(
    "a blurred area is sixteen flat blocks, and all else stays",
    async () => {
      const area = { x: 400, y: 200, width: 320, height: 320 }
      const blurred = frameOf((await editedFilm(short, { blur: [area] })).bytes)
      const before = frameOf(short.bytes)
      const spread = (frame: Buffer, x: number, y: number) => {
        const row = frame.subarray(y * 1280 + x, y * 1280 + x + 60)
        return Math.max(...row) - Math.min(...row)
      }
      const cells = [0, 1, 2, 3].flatMap((column) =>
        [0, 1, 2, 3].map((row) => [410 + 80 * column, 240 + 80 * row] as const),
      )
      const widest = (frame: Buffer) => Math.max(...cells.map(([x, y]) => spread(frame, x, y)))
      expect(widest(before)).toBeGreaterThan(40)
      expect(widest(blurred)).toBeLessThan(16)
      expect(spread(blurred, 900, 600)).toBeGreaterThan(spread(before, 900, 600) / 3)
    },
    30_000,
  )

  test("without it one line says what else there is; an area outside the picture is a wrong call", async () => {
    if (here !== null)
      await expect(
        editedFilm(short, { crop: { x: 5_000, y: 0, width: 64, height: 64 } }),
      ).rejects.toMatchObject({ kind: "usage" })
    vi.stubEnv("PATH", "/nowhere")
    await expect(editedFilm(short, { blur: [{ x: 0, y: 0, width: 64, height: 64 }] })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/apt install ffmpeg\), or leave parts out with --from and --to/),
    })
  }, 30_000)

  test.each(["", "1,2,3", "0,0,15,64", "1,0,64,64", "0,0,64,99999", "-2,0,64,64", "0,0,64,64:drawtext"])(
    "%j is no area",
    (text) => {
      expect(() => parseArea(text)).toThrow(expect.objectContaining({ kind: "usage" }))
    },
  )
})

/** The first picture, luma alone. */
function frameOf(mp4: Uint8Array): Buffer {
  const options = "-v error -i pipe:0 -frames:v 1 -f rawvideo -pix_fmt gray pipe:1".split(" ")
  return execFileSync("ffmpeg", options, { input: mp4, maxBuffer: 1 << 24 })
}
