import type { Lens, Piece } from "../../firmware/ports.ts"
import { WakeUp } from "../../firmware/wake.ts"

/**
 * A lens that is pulled on as fast as the camera delivers: it holds a group of pictures back while too many are on
 * their way. Without it an unpaced lens would fill any spool.
 */
export class ThrottledLens implements Lens {
  readonly #lens: Lens
  readonly #groupsAhead: number
  readonly #wakeUp = new WakeUp()
  #given = 0
  #delivered = 0
  #allowed = Number.POSITIVE_INFINITY
  #open = false

  /** `groupsAhead`: how many groups may have left the lens without having been received by the cloud. */
  constructor(lens: Lens, groupsAhead: number) {
    this.#lens = lens
    this.#groupsAhead = groupsAhead
  }

  /** So many groups have reached the cloud. */
  delivered(groups: number): void {
    this.#delivered += groups
    this.#wakeUp.wake()
  }

  /** From now on at most so many groups. */
  allow(groups: number): void {
    this.#allowed = this.#given + groups
    this.#wakeUp.wake()
  }

  /** And so many more. */
  allowMore(groups: number): void {
    this.#allowed += groups
    this.#wakeUp.wake()
  }

  set open(open: boolean) {
    this.#open = open
    this.#wakeUp.wake()
  }

  async *pieces(signal: AbortSignal): AsyncIterable<Piece> {
    for await (const piece of this.#lens.pieces(signal)) {
      if (piece.startsKeyFrame) {
        while (!signal.aborted && !this.#mayGive()) await this.#wakeUp.wait(signal)
        this.#given++
      }
      yield piece
    }
  }

  #mayGive(): boolean {
    const under = this.#given - this.#delivered < this.#groupsAhead && this.#given < this.#allowed
    return this.#open && under
  }
}
