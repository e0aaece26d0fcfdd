import { Fault } from "../../firmware/errors.ts"
import type { Clock, Log, Piece } from "../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { inputHeard } from "../event-loop.ts"
import type { Complaints } from "./advice.ts"
import { PieceQueue } from "./piece-queue.ts"
import type { HelperProcess } from "./process.ts"

/** A camera starts within two seconds; one that is low on power or has just been freed by another program, later. */
const FIRST_BYTES_WITHIN: Milliseconds = seconds(30)
/** A wedged camera says nothing and ignores SIGINT. */
const NEXT_BYTES_WITHIN: Milliseconds = seconds(5)

const CABLE = "check the camera's ribbon cable and the power supply"

/** Where bytes go on their way to the queue: straight, or by `TimestampPairing`. */
export interface Stage {
  bytes(bytes: Uint8Array, at: Milliseconds): void
  /** No more bytes come: gives what it holds. */
  end(): void
}

export interface StreamOptions {
  /** What a person calls the program. */
  readonly name: string
  readonly helper: HelperProcess
  readonly complaints: Complaints
  readonly clock: Clock
  readonly log: Log
  readonly stage?: (emit: (piece: Piece) => void) => Stage
}

/**
 * What a camera program writes, until `signal` aborts or the consumer leaves off; it has stopped by then. While the
 * consumer is slow nothing is read, and the program waits.
 *
 * @throws Fault "unavailable", indefinite: the program ended by itself, or gives no bytes any more.
 */
export async function* streamOf(options: StreamOptions, signal: AbortSignal): AsyncGenerator<Piece> {
  const { name, helper, complaints, clock, stage = straight } = options
  const { stdout } = helper.child
  const queue = new PieceQueue(() => {
    stdout.resume()
    watch.listen(NEXT_BYTES_WITHIN)
  })
  const held = stage((piece) => queue.put(piece))
  const watch = new SilenceWatch(clock, (duration) =>
    queue.close(lost(name, `gives no pictures for ${duration / 1_000} s`, complaints.explain() ?? CABLE)),
  )
  stdout.on("data", (bytes: Buffer) => {
    held.bytes(bytes, clock.monotonic())
    if (queue.full) {
      stdout.pause()
      watch.rest()
    } else watch.listen(NEXT_BYTES_WITHIN)
  })
  // A program is over when its standard output is read to the end, so all it wrote comes before its fault.
  const onEnd = (how: string) => {
    watch.rest()
    held.end()
    queue.close(lost(name, `ended (${how})`, complaints.explain()))
  }
  helper.ended.then(onEnd, onEnd)
  watch.listen(FIRST_BYTES_WITHIN)
  try {
    yield* queue.take(signal)
  } finally {
    watch.rest()
    await helper.stop()
  }
}

function lost(name: string, what: string, why: string | null): Fault {
  return new Fault("unavailable", `${name} ${what}${why === null ? "" : `; ${why}`}`, { definite: false })
}

function straight(emit: (piece: Piece) => void): Stage {
  return { bytes: (bytes, at) => emit({ bytes, at }), end: () => undefined }
}

/** Calls out when too long nothing was heard. */
class SilenceWatch {
  readonly #clock: Clock
  readonly #onSilence: (duration: Milliseconds) => void
  #cancel: () => void = () => undefined

  constructor(clock: Clock, onSilence: (duration: Milliseconds) => void) {
    this.#clock = clock
    this.#onSilence = onSilence
  }

  /**
   * An event loop that was busy for so long has not read what waits in the pipe: it comes in the next turn, and only
   * silence after that is the camera's.
   */
  listen(duration: Milliseconds): void {
    this.#cancel()
    let isOver = false
    const cancel = this.#clock.after(duration, () => {
      void inputHeard().then(() => {
        if (!isOver) this.#onSilence(duration)
      })
    })
    this.#cancel = () => {
      isOver = true
      cancel()
    }
  }

  rest(): void {
    this.#cancel()
  }
}
