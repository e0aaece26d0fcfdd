import { afterAll, describe, expect, test } from "vitest"
import type { Detector, Frame } from "../../firmware/ports.ts"
import { processClock } from "../../hardware/clock.ts"
import { decodePicture } from "../../harness/recognise/decode-picture.ts"
import { openRealDetector } from "../../harness/recognise/real-detector.ts"
import { loadScene } from "../../simulator/footage.ts"
import { footageFrames, truthDetector } from "../../simulator/frames.ts"
import { seededRandom } from "../../simulator/random.ts"
import { sharedData } from "../support.ts"

/** A detector, a picture of somebody, one of nobody, and whether it is of a kind that is a person. */
interface DetectorUnderTest {
  readonly detector: Detector
  readonly person: Frame
  readonly nobody: Frame
  close(): Promise<void>
}

const MODEL = sharedData("models/yolox_nano.onnx")
const PERSON = sharedData("images/ctai_human.jpg")
const NOBODY = sharedData("images/ctai_blank.jpg")

const makers: Readonly<Record<string, (() => Promise<DetectorUnderTest>) | null>> = {
  "the footage's truth": async () => {
    const footage = await loadScene("day-person")
    const positionAt = (at: number) => at / 1_000
    const detector = truthDetector({ footage, positionAt, random: seededRandom(1) })
    const [when = { time: 0 }] = footage.boxes
    const frames = footageFrames({ footage, positionAt, clock: LATER })
    const framesFrom = async (at: number) => {
      for await (const frame of frames.frames(at, new AbortController().signal)) return { ...frame, at }
      throw new Error("no frame")
    }
    const middle = footage.boxes[footage.boxes.length >> 1] ?? when
    return {
      detector,
      person: await framesFrom(Math.floor(middle.time) * 1_000),
      nobody: await framesFrom(0),
      close: async () => undefined,
    }
  },

  "YOLOX-nano in onnxruntime-web": MODEL && PERSON && NOBODY ? () => realModel(MODEL, PERSON, NOBODY) : null,
}

async function realModel(model: string, person: string, nobody: string): Promise<DetectorUnderTest> {
  const detector = await openRealDetector({ model, runtime: "onnxruntime-web" })
  return {
    detector,
    person: await decodePicture(person),
    nobody: await decodePicture(nobody),
    close: () => detector.close(),
  }
}

/** All that the footage shows is over. */
const LATER = { ...processClock(), monotonic: () => 60_000 }

const never = new AbortController().signal

describe.each(Object.entries(makers))("a detector: %s", (_name, make) => {
  let made: Promise<DetectorUnderTest> | null = null
  const opened = () => {
    made ??= make?.() ?? Promise.reject(new Error("skipped"))
    return made
  }
  afterAll(async () => (await made?.catch(() => null))?.close())

  test.skipIf(!make)("sees who is in a picture, and in one of nobody, nobody", async () => {
    const { detector, person, nobody } = await opened()
    const [best] = await detector.detect(person, never)
    expect(best).toMatchObject({ label: "person" })
    expect(best?.score).toBeGreaterThan(0.4)
    const boxes = await detector.detect(nobody, never)
    expect(boxes.filter(({ score }) => score > 0.4)).toEqual([])
  })

  test.skipIf(!make)("gives the same boxes for the same picture, and leaves the picture alone", async () => {
    const { detector, person, nobody } = await opened()
    const before = { luma: person.luma.slice(), blue: person.chroma?.blue.slice() }
    const first = await detector.detect(person, never)
    await detector.detect(nobody, never)
    expect(await detector.detect(person, never)).toEqual(first)
    expect({ luma: person.luma, blue: person.chroma?.blue }).toEqual(before)
  })

  test.skipIf(!make)("gives fractions of the picture, known labels, best first", async () => {
    const { detector, person } = await opened()
    const boxes = await detector.detect(person, never)
    for (const [index, { label, score, left, top, right, bottom }] of boxes.entries()) {
      expect(["person", "animal", "vehicle"]).toContain(label)
      expect([0 <= left, left < right, right <= 1, 0 <= top, top < bottom, bottom <= 1]).not.toContain(false)
      expect(score > 0 && score <= 1).toBe(true)
      expect(score).toBeLessThanOrEqual(boxes[index - 1]?.score ?? 1)
    }
  })

  test.skipIf(!make)("takes a grey picture of any size", async () => {
    const { detector } = await opened()
    for (const [width, height] of [
      [1, 1],
      [3, 640],
      [641, 7],
    ] as const) {
      const luma = new Uint8Array(width * height).fill(90)
      await expect(detector.detect({ at: 0, width, height, luma }, never)).resolves.toBeInstanceOf(Array)
    }
  })

  test.skipIf(!make)("settles when nobody waits any more, and answers the next", async () => {
    const { detector, person } = await opened()
    const gone = new AbortController()
    const asked = detector.detect(person, gone.signal).catch(() => [])
    gone.abort()
    await asked
    expect((await detector.detect(person, never))[0]?.label).toBe("person")
  })
})
