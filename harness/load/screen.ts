import { type Bytes, type Milliseconds, seconds } from "../../firmware/units.ts"
import type { CameraProgress } from "./messages.ts"

/** More often only flickers. */
const REDRAW_EVERY: Milliseconds = 100

/** What a person sees while a run goes on: on a terminal one block that is drawn anew, elsewhere a line now and then. */
export class Screen {
  readonly #out: NodeJS.WriteStream
  readonly #plainEvery: Milliseconds
  #drawn = 0
  #shownAt = Number.NEGATIVE_INFINITY

  constructor(out: NodeJS.WriteStream, plainEvery: Milliseconds = seconds(5)) {
    this.#out = out
    this.#plainEvery = plainEvery
  }

  /** A line that stays. */
  say(line: string): void {
    this.#erase()
    this.#out.write(`${line}\n`)
  }

  /** The state of things: `block` on a terminal, `line` elsewhere, and not too often. */
  show(block: readonly string[], line: string): void {
    const now = performance.now()
    if (now - this.#shownAt < (this.#out.isTTY ? REDRAW_EVERY : this.#plainEvery)) return
    this.#shownAt = now
    if (this.#out.isTTY) {
      this.#erase()
      const width = Math.max(20, (this.#out.columns ?? 80) - 1)
      this.#out.write(block.map((each) => `${each.slice(0, width)}\n`).join(""))
      this.#drawn = block.length
      return
    }
    this.#out.write(`${line}\n`)
  }

  /** The next state is shown at once. */
  nextPhase(): void {
    this.#erase()
    this.#shownAt = Number.NEGATIVE_INFINITY
  }

  #erase(): void {
    // ECMA-48: cursor up, then erase to the end of the screen.
    if (this.#drawn > 0) this.#out.write(`\u001b[${this.#drawn}A\u001b[J`)
    this.#drawn = 0
  }
}

/** A fleet at work: what its processes said last, as text. */
export class LiveView {
  readonly #cameras: number
  readonly #duration: Milliseconds
  readonly #begun = performance.now()
  readonly #workers = new Map<number, CameraProgress>()
  #bytes: Bytes = 0
  #bytesAt = performance.now()
  #bytesPerSecond = 0

  constructor(cameras: number, duration: Milliseconds) {
    this.#cameras = cameras
    this.#duration = duration
  }

  hearCameras(worker: number, progress: CameraProgress): void {
    this.#workers.set(worker, progress)
  }

  hearCloud(bytes: Bytes): void {
    const now = performance.now()
    const elapsed = (now - this.#bytesAt) / 1_000
    if (elapsed > 0.2) this.#bytesPerSecond = (bytes - this.#bytes) / elapsed
    this.#bytes = bytes
    this.#bytesAt = now
  }

  draw(screen: Screen): void {
    const passed = (performance.now() - this.#begun) / 1_000
    const whole = this.#duration / 1_000
    const stage = passed < whole ? `${passed.toFixed(0)} s of ${whole} s` : "finishing clips and uploads"
    const sum = this.#sum()
    const { connected, recorded, discarded, sealed, uploaded, received, lagMs } = sum
    const rate = `${(this.#bytesPerSecond / 1_000_000).toFixed(1)} MB/s`
    const lag = `lag ${lagMs.toFixed(0)} ms`
    const [s, u, r] = [sealed, uploaded, received].map(grouped)
    screen.show(
      [
        `  running   ${stage}`,
        `  cameras   ${connected} of ${this.#cameras} connected, ${lag}`,
        `  clips     ${grouped(recorded)} recorded, ${grouped(discarded)} discarded`,
        `  objects   ${s} sealed, ${u} uploaded, ${r} received`,
        `  cloud     ${rate}`,
      ],
      `${stage}: ${connected}/${this.#cameras} connected, clips: ${grouped(recorded)} recorded, objects: ` +
        `${s} sealed, ${u} uploaded, ${r} received, ${rate}, ${lag}`,
    )
  }

  #sum(): CameraProgress {
    const sum = { connected: 0, recorded: 0, discarded: 0, sealed: 0, uploaded: 0, received: 0, lagMs: 0 }
    for (const worker of this.#workers.values()) {
      sum.connected += worker.connected
      sum.recorded += worker.recorded
      sum.discarded += worker.discarded
      sum.sealed += worker.sealed
      sum.uploaded += worker.uploaded
      sum.received += worker.received
      sum.lagMs = Math.max(sum.lagMs, worker.lagMs)
    }
    return sum
  }
}

/** 12345 as 12,345. */
export function grouped(count: number): string {
  return count.toLocaleString("en-US")
}
