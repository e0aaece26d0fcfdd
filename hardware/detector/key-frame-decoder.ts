import { Fault, isFault } from "../../firmware/errors.ts"
import type { Clock, Frame, KeyFrameDecoder, Log } from "../../firmware/ports.ts"
import { type Milliseconds, minutes, seconds } from "../../firmware/units.ts"
import type { KeyFrame } from "./picture-thread.ts"
import { Thread, type ThreadFile } from "./thread.ts"

export interface DecoderOptions {
  /** What `picture-thread.ts` became. */
  readonly program: ThreadFile
  readonly clock: Clock
  readonly log: Log
}

const START_WITHIN: Milliseconds = minutes(1)
const ANSWER_WITHIN: Milliseconds = seconds(20)

/** Key frames to pictures by FFmpeg's libraries (npm's node-av), in a thread of its own. */
export class ThreadedDecoder implements KeyFrameDecoder {
  readonly #thread: Thread<null, KeyFrame, Frame>
  #damaged = 0

  constructor({ program, clock, log }: DecoderOptions) {
    this.#thread = new Thread({
      ...{ name: "decoder", program, data: null, clock, log },
      ...{ startWithin: START_WITHIN, answerWithin: ANSWER_WITHIN },
    })
  }

  /** Starts the thread. @throws Fault "unsupported", definite: there is no decoder on this machine. */
  async open(): Promise<void> {
    await this.#thread.facts()
  }

  /** How many key frames could not be decoded. */
  get damaged(): number {
    return this.#damaged
  }

  async decode(keyFrame: Uint8Array, at: Milliseconds, signal: AbortSignal): Promise<Frame> {
    // It may be a view of the pre-roll, which stays.
    const bytes = new Uint8Array(keyFrame)
    try {
      return await this.#thread.ask({ bytes, at }, [bytes.buffer], signal)
    } catch (error) {
      if (isFault(error, "malformed")) {
        this.#damaged++
        throw new Fault("malformed", `a key frame: ${error.message}`, { cause: error })
      }
      throw error
    }
  }

  close(): Promise<void> {
    return this.#thread.close()
  }
}
