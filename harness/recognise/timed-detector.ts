import type { Box, Detector, Frame } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"

/** A detector whose looks are timed by the wall, for the report alone: nothing is decided by it. */
export class TimedDetector implements Detector {
  readonly #detector: Detector
  #last: Milliseconds = 0

  constructor(detector: Detector) {
    this.#detector = detector
  }

  /** Of the latest look that is over. */
  get lastMilliseconds(): Milliseconds {
    return this.#last
  }

  async detect(frame: Frame, signal: AbortSignal): Promise<readonly Box[]> {
    const begun = performance.now()
    try {
      return await this.#detector.detect(frame, signal)
    } finally {
      this.#last = performance.now() - begun
    }
  }
}
