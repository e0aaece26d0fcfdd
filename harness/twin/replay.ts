import "./wall.ts"
import "../virtual/install.ts"
import { noParts, type PiPlaces, piOutputs } from "./boards.ts"
import { CameraUnderTrace } from "./camera-run.ts"
import { openedBy, throwAwayHousehold } from "./opened.ts"
import { Pace } from "./pace.ts"
import { isInput, type Trace, type TwinEvent } from "./trace.ts"

export interface ReplayOptions {
  readonly signal?: AbortSignal
  readonly onEvent?: (event: TwinEvent) => void
}

export type ReplayBoard =
  /** In virtual time: pins, pictures and readings are the trace's. */
  | { readonly board: "virtual" }
  /** At the world's pace, so that the outputs are this machine's: the light is lit, and says when its wire has it. */
  | { readonly board: "pi"; readonly places: PiPlaces }

/** Runs the firmware on what `trace` gave, and takes down what comes of it on this board. */
export async function replay(trace: Trace, target: ReplayBoard, options: ReplayOptions = {}): Promise<Trace> {
  const { begin } = trace
  const household = await throwAwayHousehold(begin.config)
  const pace = new Pace(target.board === "pi" ? "wall" : "free")
  const live = target.board === "pi" ? await pace.during(piOutputs(begin.config, target.places)) : noParts()
  const inputs = trace.records
    .filter(isInput)
    .filter(({ what }) => target.board === "virtual" || what !== "driven")
  const running = new CameraUnderTrace({ ...options, household, begin, inputs, live, pace }).run()
  const run = await running.finally(() => pace.during(live.close()))
  const outcome = await openedBy(household, run)
  return {
    begin: { ...begin, board: target.board, duration: run.duration },
    records: [...run.records, ...outcome],
  }
}
