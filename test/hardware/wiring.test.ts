import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { chromium } from "playwright-core"
import { describe, expect, test, vi } from "vitest"
import { type CameraConfigInput, parseConfig } from "../../firmware/config.ts"
import { HEADER, pinOfGpio } from "../../hardware/wiring/header.ts"
import { partsFor } from "../../hardware/wiring/parts.ts"
import * as picture from "../../hardware/wiring/picture.ts"
import { mutant } from "../mutants.ts"
import { judge, root } from "../support.ts"

vi.setConfig({ testTimeout: 60_000 })

const pinsOf = (pins: CameraConfigInput["pins"]) => parseConfig({ pins }).pins

const CONFIGURATIONS = {
  "the defaults": pinsOf({}),
  "every part": pinsOf({ status: 23, infraredCut: 24, shutter: 18, reset: 25 }),
  "every part at the far end": pinsOf({
    ...{ motion: 21, bell: 20, light: 26, status: 16, infraredCut: 19, shutter: 12, reset: 13 },
  }),
  "every part, all over": pinsOf({
    ...{ motion: 2, bell: 21, light: 0, status: 14, infraredCut: 5, shutter: 13, reset: 8 },
  }),
}

describe("the header", () => {
  // Printed on the underside of some boards, and in every pinout.
  test("has the pins of a Pi", () => {
    expect(HEADER.map(({ number }) => number)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    const carrying = (what: string) =>
      HEADER.filter(({ carries }) => carries === what).map(({ number }) => number)
    expect(carrying("5 V")).toEqual([2, 4])
    expect(carrying("3.3 V")).toEqual([1, 17])
    expect(carrying("ground")).toEqual([6, 9, 14, 20, 25, 30, 34, 39])
    for (const [gpio, pin] of [
      [2, 3],
      [4, 7],
      [17, 11],
      [18, 12],
      [27, 13],
      [22, 15],
      [10, 19],
      [26, 37],
      [21, 40],
    ])
      expect(pinOfGpio(gpio ?? -1).number).toBe(pin)
    expect(new Set(HEADER.flatMap(({ gpio }) => gpio ?? [])).size).toBe(28)
  })
})

// Drawn anew by: obscura-camera wiring --settings FILE --out hardware/wiring/wires.svg
test.each([
  ["wires.svg", CONFIGURATIONS["the defaults"]],
  ["wires-full.svg", CONFIGURATIONS["every part"]],
] as const)("%s, which the README shows, is what the command draws", async (name, pins) => {
  expect(await readFile(join(root, "hardware/wiring", name), "utf8")).toBe(picture.wiringPicture(pins))
})

describe.each(Object.entries(CONFIGURATIONS))("the wires of %s", (_name, pins) => {
  const parts = partsFor(pins)

  test("go to the configured GPIOs, and no two to one pin", () => {
    const used = parts.flatMap(({ terminals }) => terminals.map(({ pin }) => pin))
    expect(new Set(used.map(({ number }) => number)).size).toBe(used.length)
    const gpios = used.flatMap(({ gpio }) => gpio ?? [])
    expect(gpios.sort()).toEqual(
      Object.values(pins)
        .filter((pin) => pin !== undefined)
        .sort(),
    )
  })

  test("bring nothing above 3.3 V to a GPIO: only sensor and servo get 5 V", () => {
    const fed = parts.filter(({ terminals }) => terminals.some(({ pin }) => pin.carries === "5 V"))
    expect(fed.every(({ symbol }) => symbol === "sensor" || symbol === "servo")).toBe(true)
  })

  test("are drawn apart: no two lie on each other", () => {
    expect(overlaps(picture.wiringPicture(pins))).toEqual([])
  })

  test("can be read: no text lies on another, none leaves the picture or its box", async ({ skip }) => {
    const browserPath = judge("chromium")
    if (browserPath === null) return skip("chromium is missing")
    expect(await unreadable(picture.wiringPicture(pins), browserPath)).toEqual([])
  })
})

describe("the checks fail on a mutant", () => {
  const path = "hardware/wiring/picture.ts"

  test("whose wires share a lane", async () => {
    const mistake = { path, from: "lane: LANES_X + i * LANE", to: "lane: LANES_X + 0 * i * LANE" }
    const { wiringPicture } = await mutant<typeof picture>(path, mistake)
    expect(overlaps(wiringPicture(CONFIGURATIONS["every part"]))).not.toEqual([])
  })

  test("whose terminals are too near to each other", async ({ skip }) => {
    const browserPath = judge("chromium")
    if (browserPath === null) return skip("chromium is missing")
    const { wiringPicture } = await mutant<typeof picture>(path, {
      ...{ path, from: "const TERMINAL_PITCH = 21", to: "const TERMINAL_PITCH = 9" },
    })
    expect(await unreadable(wiringPicture(CONFIGURATIONS["every part"]), browserPath)).not.toEqual([])
  })
})

interface Stroke {
  readonly across: boolean
  /** The coordinate that stays. */
  readonly at: number
  readonly from: number
  readonly to: number
}

/** Pairs of wires with parallel strokes nearer than 4 units to each other over any length. */
function overlaps(svg: string): string[] {
  const wires = [...svg.matchAll(/d="(M[^"]+H\d[^"]*V[^"]*H[^"]*)" fill="none" [^>]*stroke-width="3"/g)].map(
    ([, path]) => strokesOf(path ?? ""),
  )
  return wires.flatMap((a, i) =>
    wires.slice(i + 1).flatMap((b, j) => (touch(a, b) ? [`${i} and ${i + 1 + j}`] : [])),
  )
}

function strokesOf(path: string): Stroke[] {
  const [, x = "0", y = "0", lane = "0", to = "0", end = "0"] =
    /([\d.]+) ([\d.]+)H([\d.]+)V([\d.]+)H([\d.]+)$/.exec(path) ?? []
  const stroke = (across: boolean, at: string, a: string, b: string): Stroke => ({
    ...{ across, at: Number(at), from: Math.min(Number(a), Number(b)), to: Math.max(Number(a), Number(b)) },
  })
  return [stroke(true, y, x, lane), stroke(false, lane, y, to), stroke(true, to, lane, end)]
}

function touch(a: readonly Stroke[], b: readonly Stroke[]): boolean {
  return a.some((s) =>
    b.some(
      (t) =>
        s.across === t.across && Math.abs(s.at - t.at) < 4 && Math.min(s.to, t.to) > Math.max(s.from, t.from),
    ),
  )
}

async function unreadable(svg: string, executablePath: string): Promise<string[]> {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] })
  try {
    const page = await browser.newPage()
    await page.setContent(svg)
    return await page.evaluate(judgeTexts)
  } finally {
    await browser.close()
  }
}

/** Runs in the browser, and so as a text: what it needs is in it. */
const judgeTexts = `(() => {
  const texts = [...document.querySelectorAll("text")].map((each) => ({ said: each.textContent, box: each.getBBox() }))
  const { width, height } = document.querySelector("svg").viewBox.baseVal
  const boxes = [...document.querySelectorAll("rect")].map((each) => each.getBBox())
  const found = []
  const apart = (a, b) => a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height - 2 <= b.y || b.y + b.height - 2 <= a.y
  texts.forEach(({ said, box }, i) => {
    if (box.x < 0 || box.y < 0 || box.x + box.width > width || box.y + box.height > height) found.push(said + " leaves the picture")
    for (const other of texts.slice(i + 1)) if (!apart(box, other.box)) found.push(said + " lies on " + other.said)
    for (const rect of boxes) {
      const inside = box.x >= rect.x && box.y >= rect.y && box.x + box.width <= rect.x + rect.width && box.y + box.height <= rect.y + rect.height
      if (!inside && !apart(box, rect)) found.push(said + " crosses an edge")
    }
  })
  return found
})()` as unknown as () => string[]
