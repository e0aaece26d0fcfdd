import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import jsQR from "jsqr"
import { chromium } from "playwright-core"
import { describe, expect, onTestFinished, test } from "vitest"
import { parseSetupText } from "../../firmware/control/pairing.ts"
import { label, writeLabel } from "../../hardware/label/label.ts"
import { labelText, shortForm } from "../../hardware/label/label-text.ts"
import { judge } from "../support.ts"

const device = "0123456789abcdef0123456789abcdef01234567"
const board = { device, serial: "10000000abcdef01", model: "Raspberry Pi Zero 2 W Rev 1.0" }
const TEXT = `obscura:camera?id=${device}&serial=10000000abcdef01`

/** What a reader sees in modules, true is dark. */
function read(modules: readonly (readonly boolean[])[]): string | undefined {
  const scale = 4
  const size = modules.length * scale
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255)
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      if (modules[Math.floor(y / scale)]?.[Math.floor(x / scale)])
        pixels.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3)
  return jsQR.default(pixels, size, size)?.data
}

/** The dark runs of the SVG's path, as they are drawn. */
function modulesOf(svg: string): boolean[][] {
  const [, scale = ""] = /scale\(([\d.]+)\)/.exec(svg) ?? []
  const size = Math.round(27 / Number(scale))
  const modules = Array.from({ length: size }, () => Array.from({ length: size }, () => false))
  for (const [, x, y, width] of svg.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
    modules[Number(y)]?.fill(true, Number(x), Number(x) + Number(width))
  return modules
}

/** Two modules a character, upper and lower; a block is light. */
function modulesOfTerminal(text: string): boolean[][] {
  return text
    .split("\n")
    .flatMap((line) => [
      [...line].map((block) => block === " " || block === "▄"),
      [...line].map((block) => block === " " || block === "▀"),
    ])
}

describe("a label", () => {
  test("read from its SVG, or from a terminal, says device and number", () => {
    const { text, svg, terminal } = label(board)
    expect(text).toBe(TEXT)
    expect(read(modulesOf(svg))).toBe(TEXT)
    expect(read(modulesOfTerminal(terminal))).toBe(TEXT)
  })

  test("of a board without a number says the device alone", () => {
    const { text, svg } = label({ ...board, serial: null })
    expect(read(modulesOf(svg))).toBe(`obscura:camera?id=${device}`)
    expect(text).not.toContain("serial")
    expect(svg).not.toContain("serial")
  })

  test("says for the eye which board it is", () => {
    const { svg } = label(board)
    expect(shortForm(device)).toBe("0123 4567 89ab")
    for (const words of ["0123 4567 89ab", "10000000abcdef01", "Pi Zero 2 W Rev 1.0"])
      expect(svg).toContain(`>${words}<`)
  })

  test("is no setup text: who photographs it cannot pair", () => {
    expect(() => parseSetupText(label(board).text)).toThrow(/no obscura setup text/)
  })

  test("holds a board's words as words", () => {
    const { svg } = label({ ...board, model: '"><script>&', serial: "a&b=<c>" })
    expect(svg).not.toMatch(/<script|<c>|&b=/)
    expect(labelText({ device, serial: "a&b=<c>" })).toBe(
      `obscura:camera?id=${device}&serial=a%26b%3D%3Cc%3E`,
    )
  })

  test.each(["", "0123", device.toUpperCase(), `${device}0`, `${device.slice(1)}\n`])(
    "of %j is refused: no device id",
    (wrong) => {
      expect(() => label({ ...board, device: wrong })).toThrow(/40 hex digits/)
    },
  )

  test("is written into a folder, or says why not", async () => {
    const folder = await mkdtemp(join(tmpdir(), "obscura-label-"))
    onTestFinished(() => rm(folder, { recursive: true }))
    const file = await writeLabel(folder, device, label(board))
    expect(await readFile(file, "utf8")).toBe(label(board).svg)
    await expect(writeLabel(file, device, label(board))).rejects.toMatchObject({ kind: "usage" })
  })
})

const here = judge("chromium")

test.skipIf(!here)("a label that a browser has drawn is read again", async () => {
  const browser = await chromium.launch({
    executablePath: here as string,
    args: ["--no-sandbox"],
    headless: true,
  })
  onTestFinished(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 620, height: 290 } })
  // 10 dots a millimetre, about what a label printer has.
  await page.setContent(`<style>body{margin:0}svg{width:620px;height:290px}</style>${label(board).svg}`)
  const picture = `data:image/png;base64,${(await page.screenshot()).toString("base64")}`
  const pixels = (await page.evaluate(`(async () => {
    const image = new Image()
    image.src = ${JSON.stringify(picture)}
    await image.decode()
    const canvas = document.createElement("canvas")
    canvas.width = image.width
    canvas.height = image.height
    const context = canvas.getContext("2d")
    context.drawImage(image, 0, 0)
    const bytes = context.getImageData(0, 0, image.width, image.height).data
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
  })()`)) as string
  expect(jsQR.default(Uint8ClampedArray.from(Buffer.from(pixels, "base64")), 620, 290)?.data).toBe(TEXT)
  const overflowing = await page.evaluate(`[...document.querySelectorAll("text")]
    .map((text) => text.getBoundingClientRect()).filter(({ right, bottom }) => right > 620 || bottom > 290).length`)
  expect(overflowing).toBe(0)
})
