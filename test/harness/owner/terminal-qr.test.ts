import { expect, test } from "vitest"
import { newSetupCode, setupText } from "../../../firmware/control/pairing.ts"
import type { Frame } from "../../../firmware/ports.ts"
import { readSetupTextFrom } from "../../../hardware/lens/setup-text.ts"
import { terminalQr } from "../../../harness/commands/terminal-qr.ts"

const CELL = 8

/** The terminal as a camera sees it: a half block is `CELL` pixels high. */
function photographed(qr: string, ink: number, paper: number): Frame {
  const rows = qr.split("\n").filter((row) => row !== "")
  const width = (rows[0]?.length ?? 0) * CELL
  const height = rows.length * 2 * CELL
  const luma = new Uint8Array(width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const character = rows[Math.floor(y / CELL / 2)]?.[Math.floor(x / CELL)] ?? " "
      const isUpper = Math.floor(y / CELL) % 2 === 0
      const inked = character === "█" || character === (isUpper ? "▀" : "▄")
      luma[y * width + x] = inked ? ink : paper
    }
  return { at: 0, width, height, luma }
}

test.for([
  ["dark", 230, 20],
  ["light", 20, 230],
] as const)("a setup text on a %s terminal is what a camera reads", async ([, ink, paper]) => {
  const text = setupText(newSetupCode({ name: "obscura.local", pin: "ab".repeat(32) }))
  const qr = terminalQr(text)
  expect(Math.max(...qr.split("\n").map((row) => row.length))).toBeLessThanOrEqual(80)
  const frames = (async function* () {
    yield photographed(qr, ink, paper)
  })()
  expect(await readSetupTextFrom(frames, new AbortController().signal)).toBe(text)
})
