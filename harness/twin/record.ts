import "./wall.ts"
import "../virtual/install.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import type { SceneName } from "../../simulator/footage.ts"
import { type PiPlaces, piParts, type RecordedBoard, virtualParts } from "./boards.ts"
import { CameraUnderTrace } from "./camera-run.ts"
import { openedBy, throwAwayHousehold } from "./opened.ts"
import { Pace } from "./pace.ts"
import type { BoardName, Trace, TwinEvent } from "./trace.ts"

export interface RecordOptions {
  readonly duration: Milliseconds
  /** Ends it sooner; what came until then is a trace as well. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: TwinEvent) => void
  /** The board is open, and the trace begins: walk by. */
  readonly onBegin?: (board: RecordedBoard) => void
}

/** Where pictures and motion come from. */
export type RecordSource =
  | { readonly board: "pi"; readonly places: PiPlaces }
  | { readonly board: "virtual"; readonly scene: SceneName; readonly seed: number }

/**
 * Runs the firmware on a board, owned by a household of its own, and takes down what the board gave and what came of it.
 * The trace holds pictures: seal it (`trace-file.ts`), never write it as it is.
 */
export async function record(source: RecordSource, options: RecordOptions): Promise<Trace> {
  const pace = new Pace(source.board === "pi" ? "wall" : "free")
  const opening =
    source.board === "pi" ? piParts(source.places) : virtualParts(source.scene, source.seed, options.duration)
  return recordOn(source.board, await pace.during(opening), options)
}

/** As `record`, on a board that is open already; it is closed. */
async function recordOn(name: BoardName, board: RecordedBoard, options: RecordOptions): Promise<Trace> {
  const { config, lensWatches, live } = board
  const household = await throwAwayHousehold(config)
  const pace = new Pace(name === "pi" ? "wall" : "free")
  options.onBegin?.(board)
  const begin = { board: name, duration: options.duration, lensWatches, config }
  const running = new CameraUnderTrace({ ...options, household, begin, inputs: [], live, pace }).run()
  const run = await running.finally(() => pace.during(live.close()))
  const outcome = await openedBy(household, run)
  return { begin: { ...begin, duration: run.duration }, records: [...run.records, ...outcome] }
}
