import type { CameraConfig } from "../../firmware/config.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Clock, Lens, Log, Piece } from "../../firmware/ports.ts"
import type { Polygon } from "../../firmware/recognise/polygon.ts"
import type { PiModel } from "../model.ts"
import type { LensSettings } from "../settings.ts"
import { Complaints } from "./advice.ts"
import { MotionLines, writeMotionDetection } from "./motion-detection.ts"
import { startHelper } from "./process.ts"
import { givesTimestamps, type RpicamVid, videoArguments } from "./rpicam-options.ts"
import { streamOf } from "./stream.ts"
import { TimestampPairing } from "./timestamp-pairing.ts"
import { openTimestampsFifo, type TimestampsFifo } from "./timestamps-fifo.ts"

export interface RpicamOptions {
  readonly vid: RpicamVid
  readonly config: CameraConfig["lens"]
  readonly settings: LensSettings
  readonly model: PiModel
  readonly clock: Clock
  readonly log: Log
  readonly env: NodeJS.ProcessEnv
  /** A folder of ours, for a file and a named pipe; nothing of a picture is in them. */
  readonly runtimeDirectory: string
  /** Where the camera may not look; default: nowhere. */
  readonly masks?: readonly Polygon[]
}

/**
 * The camera by way of `rpicam-vid`, one process for each call of `pieces`. Pieces are what a read of its standard output
 * gave; where it tells the pictures' times (`givesTimestamps`) they have timing. It is not started again here: who reads
 * the pieces does that.
 */
export class RpicamLens implements Lens {
  readonly #options: RpicamOptions
  readonly #motion = new MotionLines()
  #reading = false
  #timestampsAreSound = true
  readonly watchMotion?: NonNullable<Lens["watchMotion"]>

  constructor(options: RpicamOptions) {
    this.#options = options
    if (options.settings.motionDetection) this.watchMotion = (onEdge) => this.#motion.watch(onEdge)
  }

  async *pieces(signal: AbortSignal): AsyncGenerator<Piece> {
    if (signal.aborted) return
    if (this.#reading) throw new Fault("unavailable", "the camera is being read already", { definite: false })
    this.#reading = true
    const { clock } = this.#options
    let fifo: TimestampsFifo | null = null
    try {
      let onTime: (line: string) => void = () => undefined
      fifo = await this.#openTimestamps((line) => onTime(line))
      if (signal.aborted) return
      const stage = (emit: (piece: Piece) => void) => {
        const pairing = new TimestampPairing(emit, (why) => this.#timestampsFail(why))
        onTime = (line) => pairing.line(line)
        return pairing
      }
      const run = await this.#start(fifo?.path ?? null)
      yield* streamOf({ ...this.#options, ...run, ...(fifo ? { stage } : {}) }, signal)
    } finally {
      this.#motion.end(clock.monotonic())
      await fifo?.close()
      this.#reading = false
    }
  }

  async #start(timestampsFile: string | null) {
    const { vid, settings, clock, log, env, runtimeDirectory, masks } = this.#options
    const postProcessFile = settings.motionDetection
      ? await writeMotionDetection(runtimeDirectory, masks)
      : null
    const complaints = new Complaints((reason) => log.write({ event: "lens warning", reason }))
    const onLine = (line: string) => {
      complaints.hear(line)
      if (postProcessFile !== null) this.#motion.hear(line, clock.monotonic())
    }
    const argv = videoArguments(vid, { ...this.#options, postProcessFile, timestampsFile })
    return { name: "rpicam-vid", complaints, helper: startHelper(vid.path, argv, { env, clock, onLine }) }
  }

  async #openTimestamps(onLine: (line: string) => void): Promise<TimestampsFifo | null> {
    const { vid, model, env, runtimeDirectory } = this.#options
    if (!this.#timestampsAreSound || !givesTimestamps(vid, model)) return null
    try {
      return await openTimestampsFifo(runtimeDirectory, env, onLine)
    } catch (error) {
      this.#timestampsFail(messageOf(error))
      return null
    }
  }

  #timestampsFail(why: string): void {
    this.#timestampsAreSound = false
    const reason = `no timestamps of rpicam-vid from here on, the nominal frame rate counts: ${why}`
    this.#options.log.write({ event: "lens warning", reason })
  }
}
