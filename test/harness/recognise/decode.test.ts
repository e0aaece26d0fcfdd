import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Frame } from "../../../firmware/ports.ts"
import { openFilm } from "../../../harness/recognise/decode-film.ts"
import { decodePicture } from "../../../harness/recognise/decode-picture.ts"
import { stillEncoder } from "../../../harness/recognise/encode-still.ts"
import { root, sharedData } from "../../support.ts"

const never = new AbortController().signal
const SCENE = join(root, "simulator/scene/footage/day-person.h264")
const CARS = sharedData("footage/car-detection.mp4")

let folder = ""
let jpeg: Buffer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-decode-test-"))
  jpeg = Buffer.from((await (await stillEncoder())(corner(800, 400), 800)).jpeg)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function fileOf(name: string, bytes: Uint8Array): Promise<string> {
  await writeFile(join(folder, name), bytes)
  return join(folder, name)
}

/** Dark, with a bright and red top left eighth. */
function corner(width: number, height: number): Frame {
  const luma = new Uint8Array(width * height).fill(30)
  for (let y = 0; y < height / 4; y++) luma.fill(200, y * width, y * width + width / 4)
  const chroma = new Uint8Array((width * height) / 4).fill(128)
  const red = chroma.slice()
  for (let y = 0; y < height / 8; y++) red.fill(200, (y * width) / 2, (y * width) / 2 + width / 8)
  return { at: 0, width, height, luma, chroma: { blue: chroma, red } }
}

/** Which corner is bright and red: "top left", … */
function brightCorner({ width, height, luma, chroma }: Frame): string {
  const found = []
  for (const [name, x, y] of [
    ...([
      ["top left", 0.1, 0.1],
      ["top right", 0.9, 0.1],
    ] as const),
    ...([
      ["bottom left", 0.1, 0.9],
      ["bottom right", 0.9, 0.9],
    ] as const),
  ]) {
    const half = Math.ceil(width / 2)
    const red = chroma?.red[Math.floor((y * height) / 2) * half + Math.floor((x * width) / 2)] ?? 0
    if ((luma[Math.floor(y * height) * width + Math.floor(x * width)] ?? 0) > 100 && red > 150)
      found.push(name)
  }
  return found.join(", ")
}

/** With an EXIF segment after the JPEG's start: one entry, Orientation (tag 274). */
function oriented(plain: Buffer, orientation: number): Buffer {
  const tiff = Buffer.from("4d4d002a00000008" + "0001" + "011200030000000100000000" + "00000000", "hex")
  tiff.writeUInt16BE(orientation, 18)
  const body = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff])
  const head = Buffer.from([0xff, 0xe1, 0, 0])
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([plain.subarray(0, 2), head, body, plain.subarray(2)])
}

describe("a picture file", () => {
  test("becomes a frame of at most 640 pixels, in limited range", async () => {
    const frame = await decodePicture(await fileOf("plain.jpg", jpeg))
    expect(frame).toMatchObject({ at: 0, width: 640, height: 320 })
    expect([frame.luma.length, frame.chroma?.blue.length]).toEqual([640 * 320, 320 * 160])
    expect(Math.abs((frame.luma[320 * 200] ?? 0) - 30)).toBeLessThan(4)
    expect(Math.abs((frame.luma[0] ?? 0) - 200)).toBeLessThan(4)
  })

  // EXIF 2.32, Orientation: where the stored picture's first row and column are.
  test.each([
    [1, "top left", 640],
    [2, "top right", 640],
    [3, "bottom right", 640],
    [4, "bottom left", 640],
    [5, "top left", 320],
    [6, "top right", 320],
    [7, "bottom right", 320],
    [8, "bottom left", 320],
  ])("held in orientation %i is upright", async (orientation, where, width) => {
    const frame = await decodePicture(await fileOf(`held${orientation}.jpg`, oriented(jpeg, orientation)))
    expect([brightCorner(frame), frame.width]).toEqual([where, width])
  })

  test.each([
    ["no picture", Buffer.from("hello"), "malformed", "is no picture"],
    ["empty", Buffer.alloc(0), "malformed", "is empty"],
    [
      "nothing behind its first bytes",
      Buffer.from("ffd8ffe000104a464946", "hex"),
      "malformed",
      "it cannot be decoded",
    ],
    [
      "a PNG's beginning",
      Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"),
      "malformed",
      "it cannot be decoded",
    ],
  ])("that is %s is refused with one line that begins with its name", async (name, bytes, kind, says) => {
    const decoding = decodePicture(await fileOf(`${name}.jpg`, bytes))
    await expect(decoding).rejects.toMatchObject({ kind, definite: true })
    await expect(decoding).rejects.toThrow(`${name}.jpg: ${says}`)
  })

  test("that was cut off or damaged is refused, or still a picture; never anything else", async () => {
    for (const [name, bytes] of [
      ["cut.jpg", jpeg.subarray(0, jpeg.length >> 1)],
      ["torn.jpg", Buffer.from(jpeg.map((byte, at) => (at > 700 && at % 97 === 0 ? byte ^ 0x55 : byte)))],
    ] as const) {
      const frame = await decodePicture(await fileOf(name, bytes)).catch((error) => error)
      expect(frame.width ?? frame.kind).toEqual(expect.stringMatching(/^malformed$/))
    }
    await expect(decodePicture(join(folder, "away.jpg"))).rejects.toMatchObject({ kind: "usage" })
    await expect(decodePicture(folder)).rejects.toMatchObject({ kind: "usage" })
  })
})

describe("a film", () => {
  const all = async (path: string, every: number, signal = never) => {
    const film = await openFilm(path)
    const frames: Frame[] = []
    for await (const frame of film.frames(every, signal)) frames.push(frame)
    return { film, frames }
  }

  test("raw from a camera gives a frame for each second of it, by its own rate", async () => {
    const { film, frames } = await all(SCENE, 1_000)
    expect(film).toMatchObject({ width: 1280, height: 720, damaged: 0 })
    expect(frames.map(({ at }) => Math.round(at))).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((s) => s * 1_000),
    )
    expect(frames[0]).toMatchObject({ width: 640, height: 360 })
  })

  test.skipIf(!CARS)(
    "of a container has its times, also between key frames; who stops reading closes it",
    async () => {
      const stop = new AbortController()
      const film = await openFilm(CARS ?? "")
      expect(film.duration).toBeCloseTo(30.16)
      const times: number[] = []
      for await (const { at } of film.frames(1_000, stop.signal)) {
        times.push(at)
        if (times.length === 4) stop.abort()
      }
      expect(times).toEqual([0, 1_040, 2_000, 3_040])
    },
  )

  test.skipIf(!CARS)("with damage inside gives what is whole, and counts the rest", async () => {
    const bytes = Buffer.from(await readFile(CARS ?? ""))
    for (let at = 200_000; at < 400_000; at += 301) bytes[at] = (bytes[at] ?? 0) ^ 0xff
    const { frames } = await all(await fileOf("damaged.mp4", bytes), 1_000)
    expect(frames.length).toBeGreaterThan(20)
  })

  test("that is none, empty, away, or without a picture is refused with one line", async () => {
    const noFilm = await fileOf("none.mp4", Buffer.from("this is no film at all, whatever its name says"))
    await expect(openFilm(noFilm)).rejects.toMatchObject({ kind: "malformed", message: /^none\.mp4: / })
    await expect(openFilm(await fileOf("empty.mp4", Buffer.alloc(0)))).rejects.toMatchObject({
      kind: "malformed",
    })
    await expect(openFilm(join(folder, "away.mp4"))).rejects.toMatchObject({ kind: "usage" })
    const scene = await readFile(SCENE)
    const begins = (head: string) => scene.indexOf(Buffer.from(head, "hex"), 64)
    const noKeyFrame = await fileOf("tail.h264", scene.subarray(begins("00000141"), begins("0000000167")))
    await expect(all(noKeyFrame, 1_000)).rejects.toMatchObject({
      kind: expect.stringMatching(/malformed|unsupported/),
    })
  })
})
