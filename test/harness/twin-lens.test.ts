import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import type { DecodableUnit } from "../../firmware/media/annexb.ts"
import { segmentsOf } from "../../firmware/media/segments.ts"
import type { Piece } from "../../firmware/ports.ts"
import { processClock } from "../../hardware/clock.ts"
import { chooseLens } from "../../hardware/lens/choose.ts"
import { loadScene } from "../../simulator/footage.ts"
import { VirtualLens } from "../../simulator/lens.ts"
import { spelled, standInCamera, takeUnits } from "../hardware/stand-in-camera.ts"

/** Three groups of pictures of 15 a second. */
const UNITS = 45

test("the stand-in rpicam-vid and the virtual lens agree bit for bit: access units, times, and the fMP4 made of them", async () => {
  const virtual = await fromVirtualLens()
  const folder = mkdtempSync(join(tmpdir(), "obscura-twin-lens-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const played = join(folder, "virtual.h264")
  // What the virtual lens gave with its own mark before each key frame, one group more than is compared.
  writeFileSync(played, Buffer.concat(virtual.pieces.map(({ bytes }) => bytes)))
  const camera = standInCamera()
  camera.env.STAND_IN_FOOTAGE = played
  const { pieces, units } = await takeUnits(await chooseLens(camera), UNITS)

  expect(pieces.some(({ timing }) => timing !== undefined)).toBe(true)
  expect(units.map(({ nals }) => spelled(nals))).toEqual(virtual.units.map(({ nals }) => spelled(nals)))
  expect(units.map(timesFrom(units))).toEqual(virtual.units.map(timesFrom(virtual.units)))
  expect(await film(units)).toEqual(await film(virtual.units))
})

test("a byte that the stand-in played otherwise is noticed", async () => {
  const virtual = await fromVirtualLens()
  const other = await fromVirtualLens(1)
  expect(await film(other.units)).not.toEqual(await film(virtual.units))
})

async function fromVirtualLens(changedBytes = 0): Promise<{ pieces: Piece[]; units: DecodableUnit[] }> {
  const footage = await loadScene("day-dog")
  const lens = new VirtualLens({
    ...{ footage, clock: processClock(), camera: 7, canary: "twin" },
    pace: "unpaced",
  })
  const spoilt = {
    async *pieces(signal: AbortSignal) {
      for await (const { bytes, ...piece } of copies(lens.pieces(signal))) {
        const copy = Uint8Array.from(bytes)
        for (let at = 0; at < changedBytes; at++) copy[copy.length - 40 - at] = 0x55
        yield { ...piece, bytes: copy }
      }
    },
  }
  return takeUnits(spoilt, UNITS + 15).then(({ pieces, units }) => ({ pieces, units: units.slice(0, UNITS) }))
}

/** Its own pieces work their fields out when asked. */
async function* copies(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
  for await (const { bytes, at, timing, startsKeyFrame, endsUnit } of pieces)
    yield {
      ...{ bytes, at },
      ...(timing && { timing }),
      ...(startsKeyFrame !== undefined && { startsKeyFrame }),
      ...(endsUnit !== undefined && { endsUnit }),
    }
}

function timesFrom([first]: readonly DecodableUnit[]): (unit: DecodableUnit) => readonly number[] {
  const { pts: firstPts, dts: firstDts } = first ?? { pts: 0, dts: 0 }
  return ({ pts, dts }) => [pts - firstPts, dts - firstDts]
}

/** As hexadecimal: a difference is to be found, not printed byte by byte. */
async function film(units: readonly DecodableUnit[]): Promise<string> {
  const parts: Uint8Array[] = []
  async function* source() {
    yield* units
  }
  for await (const { bytes } of segmentsOf(source(), {
    ...{ segmentMin: 1_000, clipMax: 60_000 },
    pad: (bytes) => bytes,
    until: () => false,
  }))
    parts.push(bytes)
  expect(parts.length).toBeGreaterThan(1)
  return Buffer.concat(parts).toString("hex")
}
