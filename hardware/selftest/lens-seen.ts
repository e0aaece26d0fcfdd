import { type LumaSeen, seeLuma } from "./luma-seen.ts"
import { type StreamSeen, seeStream } from "./stream-seen.ts"
import type { World } from "./world.ts"

/** What the camera showed: looked at once, judged by several checks. */
export class LensSeen {
  readonly #world: World
  readonly #signal: AbortSignal
  #stream: Promise<StreamSeen> | null = null
  #luma: Promise<LumaSeen> | null = null

  constructor(world: World, signal: AbortSignal) {
    this.#world = world
    this.#signal = signal
  }

  /** @throws Fault "unavailable": it gives nothing. */
  stream(): Promise<StreamSeen> {
    this.#stream ??= seeStream(this.#world, this.#signal)
    return this.#stream
  }

  /** @throws Fault "unavailable": it gives nothing, or this board has no uncompressed pictures. */
  luma(): Promise<LumaSeen> {
    this.#luma ??= seeLuma(this.#world, this.#signal)
    return this.#luma
  }
}
