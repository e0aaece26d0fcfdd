import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { Lens, Piece } from "../../firmware/ports.ts"
import { processClock } from "../../hardware/clock.ts"
import { chooseLens } from "../../hardware/lens/choose.ts"
import { installShim } from "../../hardware/lens/shim.ts"
import { noFaults } from "../../simulator/faults.ts"
import { loadScene } from "../../simulator/footage.ts"
import { VirtualLens } from "../../simulator/lens.ts"
import { seededRandom } from "../../simulator/random.ts"
import { expectedUnits } from "../../simulator/shot.ts"
import {
  newParser,
  STAND_INS,
  sourceUnits,
  spelled,
  standInCamera,
  takeUnits,
} from "../hardware/stand-in-camera.ts"

/** A lens, what it shows, and a hand on its cable. */
interface LensUnderTest {
  readonly lens: Lens
  /** Its first access units, as hexadecimal NAL units. */
  source(units: number): Promise<string[][]>
  /** From its next start on it dies after a few pictures; or is whole again. */
  set(what: "dying" | "whole"): void
  /** How many processes run for it, and how many ever did. */
  processes(): { readonly now: number; readonly ever: number }
}

const makers: Readonly<Record<string, () => Promise<LensUnderTest>>> = {
  async virtual() {
    const shot = { footage: await loadScene("day-dog"), camera: 3, canary: "canary-3" }
    const split = { random: seededRandom(3) }
    const lens = new VirtualLens({ ...shot, clock: processClock(), pace: "unpaced", split })
    return {
      lens,
      source: async (units) =>
        Array.from(expectedUnits(shot, 0, Math.ceil(units / 15)))
          .slice(0, units)
          .map(({ nals }) => spelled(nals)),
      set(what) {
        lens.faults = { ...noFaults.lens, dead: what === "dying" }
      },
      processes: () => ({ now: 0, ever: 0 }),
    }
  },

  "rpicam-vid": () => onStandIn({ use: "rpicam-vid" }),

  "raspicam on raspivid": () => onStandIn({ use: "raspicam" }, async () => join(STAND_INS, "raspivid")),

  "raspicam on the shim on rpicam-vid": () =>
    onStandIn({ use: "raspicam" }, async (folder) => {
      const path = join(folder, "opt/vc/bin/raspivid")
      await installShim(path)
      return path
    }),
}

async function onStandIn(
  lens: object,
  raspivid?: (folder: string) => Promise<string>,
): Promise<LensUnderTest> {
  const camera = standInCamera(lens)
  const choice = raspivid ? { ...camera, raspividPath: await raspivid(camera.folder) } : camera
  return {
    lens: await chooseLens(choice),
    source: sourceUnits,
    set(what) {
      Object.assign(camera.env, { STAND_IN_MODES: what === "dying" ? "crash" : "", STAND_IN_AFTER: "8" })
    },
    processes: () => ({
      now: camera.running().length,
      ever: camera.calls().filter(({ argv }) => !argv.includes("--help")).length,
    }),
  }
}

describe.each(Object.entries(makers))("%s", (_name, make) => {
  test("gives the source's access units bit for bit, across loops, whichever way its bytes are split", async () => {
    const { lens, source } = await make()
    const { pieces, units } = await takeUnits(lens, 170)
    const expected = await source(170)
    expect(units.map((unit) => spelled(unit.nals))).toEqual(expected)
    const again = newParser()
    const resplit = splitAnew(pieces).flatMap((piece) => again.push(piece))
    expect(resplit.slice(0, 170).map((unit) => spelled(unit.nals))).toEqual(expected.slice(0, resplit.length))
    expect(resplit.length).toBeGreaterThanOrEqual(169)
  })

  test("says of each piece when it came, and no piece came before the one before", async () => {
    const clock = processClock()
    const begun = clock.monotonic()
    const { lens } = await make()
    const { pieces } = await takeUnits(lens, 30)
    const times = [begun, ...pieces.map(({ at }) => at), clock.monotonic()]
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  test("ends when it is told to, and nothing runs any more", async () => {
    const { lens, processes } = await make()
    const stop = new AbortController()
    let taken = 0
    for await (const _piece of lens.pieces(stop.signal)) if (++taken === 5) stop.abort()
    expect(taken).toBeGreaterThanOrEqual(5)
    expect(processes().now).toBe(0)
  })

  test("stops when its reader leaves", async () => {
    const { lens, processes } = await make()
    for await (const _piece of lens.pieces(new AbortController().signal)) break
    expect(processes().now).toBe(0)
  })

  test("told to end beforehand, gives nothing and starts nothing", async () => {
    const { lens, processes } = await make()
    for await (const _piece of lens.pieces(AbortSignal.abort())) expect.unreachable()
    expect(processes()).toEqual({ now: 0, ever: 0 })
  })

  test("dying is Fault unavailable, indefinite, each time; whole again it gives pictures, and nothing is left over", async () => {
    const { lens, set, processes } = await make()
    set("dying")
    const died = expect.objectContaining({ kind: "unavailable", definite: false })
    await expect(takeUnits(lens, 30)).rejects.toEqual(died)
    await expect(takeUnits(lens, 30)).rejects.toEqual(died)
    expect(processes().now).toBe(0)
    set("whole")
    const { units } = await takeUnits(lens, 30)
    expect(units[0]?.keyFrame).toBe(true)
    expect(units.length).toBe(30)
    expect(processes().now).toBe(0)
  })

  test("stopped and started again and again, it has one process at a time", async () => {
    const { lens, processes } = await make()
    for (let round = 0; round < 3; round++) await takeUnits(lens, 2)
    expect(processes()).toEqual({ now: 0, ever: processes().ever === 0 ? 0 : 3 })
  })
})

/** The same bytes, now and then a few at a time. */
function splitAnew(pieces: readonly Piece[]): Piece[] {
  const random = seededRandom(11)
  const bytes = Buffer.concat(pieces.map((piece) => piece.bytes))
  const anew: Piece[] = []
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + 1 + Math.floor(random.next() ** 4 * 30_000))
    anew.push({ bytes: bytes.subarray(from, to), at: 0 })
    from = to
  }
  return anew
}
