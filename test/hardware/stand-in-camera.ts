import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import type { LogLine } from "../../firmware/log.ts"
import { AccessUnitParser, type DecodableUnit } from "../../firmware/media/annexb.ts"
import type { Clock, Lens, Piece } from "../../firmware/ports.ts"
import { processClock } from "../../hardware/clock.ts"
import { chooseLens, type LensChoice } from "../../hardware/lens/choose.ts"
import { modelNamed } from "../../hardware/model.ts"
import { parseSettings } from "../../hardware/settings.ts"
import { loadScene, unitsOf } from "../../simulator/footage.ts"
import { root } from "../support.ts"

export const STAND_INS = join(root, "test/hardware/stand-ins")
/** 150 pictures, 15 a group, 15 a second. */
export const FOOTAGE = join(root, "simulator/scene/footage/day-dog.h264")
export const PI_4 = modelNamed("Raspberry Pi 4 Model B Rev 1.5")
export const PI_5 = modelNamed("Raspberry Pi 5 Model B Rev 1.0")

/** A board with stand-in camera programs on its PATH; what they are told is in `env`, and may change between two starts. */
export interface StandInCamera extends LensChoice {
  readonly env: NodeJS.ProcessEnv
  readonly folder: string
  readonly lines: LogLine[]
  /** Every start of a program so far. */
  calls(): readonly { readonly program: string; readonly pid: number; readonly argv: readonly string[] }[]
  /** Those that still run. */
  running(): readonly number[]
}

/** `speed`: how many times faster pictures come; `haste`: how many times sooner patience ends. */
export function standInCamera(
  lens: object = {},
  { speed = 20, haste = 4, model = PI_4 }: { speed?: number; haste?: number; model?: typeof PI_4 } = {},
): StandInCamera {
  const folder = mkdtempSync(join(tmpdir(), "obscura-lens-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const lines: LogLine[] = []
  const calls = () => {
    const file = join(folder, "calls")
    if (!existsSync(file)) return []
    return readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
  }
  return {
    config: parseConfig().lens,
    settings: parseSettings({ lens }, model).lens,
    model,
    clock: hasty(haste),
    log: { write: (line) => lines.push(line) },
    env: {
      PATH: `${STAND_INS}:${process.env.PATH}`,
      STAND_IN_FOOTAGE: FOOTAGE,
      STAND_IN_SPEED: `${speed}`,
      STAND_IN_BOARD: model.kind,
      STAND_IN_CALLS: join(folder, "calls"),
    },
    runtimeDirectory: join(folder, "run"),
    folder,
    lines,
    calls,
    running: () =>
      calls()
        .map(({ pid }) => pid)
        .filter(isAlive),
  }
}

/** Patience ends `haste` times sooner; the hands of the clock go on as ever. */
export function hasty(haste: number): Clock {
  const clock = processClock()
  return {
    ...clock,
    sleep: (duration, signal) => clock.sleep(duration / haste, signal),
    after: (duration, task) => clock.after(duration / haste, task),
  }
}

/** A process that has ended may wait for ever to be asked how, where nobody takes in orphans: it is no more. */
export function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`
  return existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, "utf8"))
}

/** The pieces of the first `count` whole access units, and then the lens is left. */
export async function takeUnits(
  lens: Lens,
  count: number,
  signal = new AbortController().signal,
): Promise<{ pieces: Piece[]; units: DecodableUnit[] }> {
  const parser = newParser()
  const pieces: Piece[] = []
  const units: DecodableUnit[] = []
  for await (const piece of lens.pieces(signal)) {
    pieces.push(piece)
    units.push(...parser.push(piece))
    if (units.length >= count) break
  }
  return { pieces, units: units.slice(0, count) }
}

export function newParser(): AccessUnitParser {
  return new AccessUnitParser({ framesPerSecond: 15, onFlaw: () => undefined })
}

/** The NAL units of a unit, each in one piece, in hexadecimal. */
export function spelled(nals: readonly (Uint8Array | readonly Uint8Array[])[]): string[] {
  return nals.map((nal) =>
    (nal instanceof Uint8Array ? Buffer.from(nal) : Buffer.concat(nal)).toString("hex"),
  )
}

/** The first `count` access units of the stand-ins' footage, spelled. */
export async function sourceUnits(count: number): Promise<string[][]> {
  const { groups } = await loadScene("day-dog")
  const all = groups.flatMap((group) => unitsOf(group).map(({ nals }) => spelled(nals)))
  return Array.from({ length: count }, (_, index) => all[index % all.length] ?? [])
}

/** Of stand-ins that misbehave as `modes` say. */
export async function lensIn(
  modes: string,
  lens: object = {},
): Promise<{ camera: StandInCamera; lens: Lens }> {
  // A busy machine may take half a second to start a program; where none stalls nobody need hurry.
  const camera = standInCamera(lens, { haste: /stall|wedged/.test(modes) ? 10 : 4 })
  camera.env.STAND_IN_MODES = modes
  return { camera, lens: await chooseLens({ ...camera, raspividPath: join(STAND_INS, "raspivid") }) }
}

export function warnings({ lines }: StandInCamera): string[] {
  return lines.flatMap((line) => (line.event === "lens warning" ? [line.reason] : []))
}
