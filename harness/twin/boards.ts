import "./wall.ts"
import "../virtual/install.ts"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type CameraConfig, parseConfig } from "../../firmware/config.ts"
import type { Log } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import { type GpiodIo, openGpiod } from "../../hardware/gpiod/gpiod-io.ts"
import { sysfsHealth } from "../../hardware/health.ts"
import { chooseLens } from "../../hardware/lens/choose.ts"
import { type PiModel, readModel } from "../../hardware/model.ts"
import { chipLabelFor, readSettings, type Settings } from "../../hardware/settings.ts"
import { configFor } from "../../simulator/board.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { type Footage, loadScene, type SceneName } from "../../simulator/footage.ts"
import { scriptedHealth } from "../../simulator/health.ts"
import { VirtualLens } from "../../simulator/lens.ts"
import { scriptOf } from "../../simulator/script.ts"
import { VirtualIo } from "../../simulator/virtual-io.ts"
import { LiveParts } from "./live-parts.ts"

/** A board to record on, with what its camera is configured for. */
export interface RecordedBoard {
  readonly config: CameraConfig
  readonly lensWatches: boolean
  readonly live: LiveParts
}

/** Where a Pi's parts are found. */
export interface PiPlaces {
  /** As `obscura-camera` has it. */
  readonly settings: string
  /** gpiod tools and rpicam-vid are looked for on its PATH. */
  readonly env: NodeJS.ProcessEnv
  /** Warnings of lens and pins, for the engineer. */
  readonly log: Log
}

/** A finger on the bell: longer than its debouncing. */
const PRESS: Milliseconds = 50

/** The simulator's parts: a scene, and who comes by as its truth tells, repeated by `seed`. */
export async function virtualParts(
  scene: SceneName,
  seed: number,
  duration: Milliseconds,
): Promise<RecordedBoard> {
  const footage = await loadScene(scene)
  const config = parseConfig({ lens: configFor(footage) })
  const clock = virtualClock()
  const pins = new VirtualIo()
  const lens = new VirtualLens({ footage, clock, camera: 0, canary: "obscura twin" })
  const inputs = [config.pins.motion, config.pins.bell]
  const onBegin = () => play(footage, seed, duration, pins, config)
  return {
    ...{ config, lensWatches: false },
    live: new LiveParts({ ...{ pins, lens, inputs, onBegin }, health: scriptedHealth() }),
  }
}

function play(
  footage: Footage,
  seed: number,
  duration: Milliseconds,
  pins: VirtualIo,
  config: CameraConfig,
): void {
  const { motion, bell } = config.pins
  const { after } = virtualClock()
  for (const { at, what } of scriptOf({ seed, index: 0, footage, offset: 0, duration }))
    after(at, () => {
      if (what !== "bell") return pins.set(motion, what === "moves" ? 1 : 0)
      pins.set(bell, 1)
      after(PRESS, () => pins.set(bell, 0))
    })
}

/**
 * A Pi's pins, lens and health: this machine's, or stand-ins that are first on the PATH. State and network are not
 * touched. Throws as `openGpiod` and `chooseLens`, and Fault "usage" for settings that are wrong.
 */
export async function piParts(places: PiPlaces): Promise<RecordedBoard> {
  const { env, log } = places
  const model = await readModel()
  const settings = await readSettings(places.settings, model)
  const { camera: config } = settings
  const pins = await piPins(config, settings, model, places)
  const runtimeDirectory = await mkdtemp(join(tmpdir(), "obscura-twin-"))
  const close = () => rm(runtimeDirectory, { recursive: true, force: true })
  try {
    const lens = await chooseLens({
      ...{ config: config.lens, settings: settings.lens, model, clock: processClock(), log, env },
      runtimeDirectory,
    })
    const inputs = [config.pins.motion, config.pins.bell]
    const live = new LiveParts({ pins, lens, inputs, health: sysfsHealth(), onClose: close })
    return { config, lensWatches: lens.watchMotion !== undefined, live }
  } catch (error) {
    await pins.close()
    await close()
    throw error
  }
}

/** A Pi's outputs alone, for `config` of a trace: pictures, sensors and health come from there. */
export async function piOutputs(config: CameraConfig, places: PiPlaces): Promise<LiveParts> {
  const model = await readModel()
  const settings = await readSettings(places.settings, model)
  const pins = await piPins(config, settings, model, places)
  return new LiveParts({ ...NOTHING, pins })
}

const NOTHING = { pins: null, lens: null, health: null, inputs: [] } as const

/** A trace alone: nothing answers for itself. */
export function noParts(): LiveParts {
  return new LiveParts(NOTHING)
}

function piPins(
  { pins }: CameraConfig,
  settings: Settings,
  model: PiModel,
  { env, log, settings: file }: PiPlaces,
): Promise<GpiodIo> {
  return openGpiod({ pins, chipLabel: chipLabelFor(settings, model, file), env, log, clock: processClock() })
}
