import type { Profiler } from "node:inspector"
import { Session } from "node:inspector"
import { promisify } from "node:util"
import type { Milliseconds } from "../../firmware/units.ts"

/** How often V8 looks: often enough to tell parts apart over seconds, seldom enough to cost next to nothing. */
const LOOK_EVERY_MICROSECONDS = 5_000
const SLICE: Milliseconds = 5_000
const FOLDING = ["(root)", "(program)", "(idle)", "(garbage collector)"]

/**
 * Which part of this process's busy time code in certain files takes, native calls included: the built-in sampling
 * profiler looks 200 times a second, and what is on the stack is counted. The collector's time is nobody's. Threads of
 * the platform's pool are not seen.
 */
export class CpuSplit {
  readonly #session = new Session()
  readonly #isPart: (url: string) => boolean
  readonly #post: (method: string, params: object) => Promise<unknown>
  #ours = 0
  #busy = 0
  #timer: NodeJS.Timeout | null = null
  #turning: Promise<void> = Promise.resolve()

  /** `isPart`: does this file belong to the part? */
  constructor(isPart: (url: string) => boolean) {
    this.#isPart = isPart
    this.#post = promisify(
      (method: string, params: object, done: (error: Error | null, result?: unknown) => void) =>
        this.#session.post(method, params, done),
    )
  }

  async start(): Promise<void> {
    this.#session.connect()
    await this.#post("Profiler.enable", {})
    await this.#post("Profiler.setSamplingInterval", { interval: LOOK_EVERY_MICROSECONDS })
    await this.#post("Profiler.start", {})
    this.#timer = setInterval(() => this.#turn(true), SLICE)
    this.#timer.unref()
  }

  /** 0 to 1, of the busy time so far; null: it was never seen busy. */
  get share(): number | null {
    return this.#busy === 0 ? null : this.#ours / this.#busy
  }

  async stop(): Promise<void> {
    if (this.#timer === null) return
    clearInterval(this.#timer)
    this.#turn(false)
    await this.#turning
    this.#session.disconnect()
  }

  /** In slices, so that a soak's profile does not fill the memory that it is to measure. */
  #turn(goOn: boolean): void {
    this.#turning = this.#turning.then(async () => {
      const { profile } = (await this.#post("Profiler.stop", {})) as { readonly profile: Profiler.Profile }
      if (goOn) await this.#post("Profiler.start", {})
      this.#count(profile)
    })
  }

  #count({ nodes }: Profiler.Profile): void {
    const children = new Map(nodes.map((node) => [node.id, node]))
    const visit = (node: Profiler.ProfileNode, inPart: boolean): void => {
      const { functionName, url } = node.callFrame
      // Natives and node's own files count for whoever called them.
      const own = url === "" || url.startsWith("node:") ? inPart : this.#isPart(url)
      if (!FOLDING.includes(functionName)) {
        this.#busy += node.hitCount ?? 0
        if (own) this.#ours += node.hitCount ?? 0
      }
      for (const id of node.children ?? []) {
        const child = children.get(id)
        if (child) visit(child, own)
      }
    }
    const [root] = nodes
    if (root) visit(root, false)
  }
}

/** Cipher, age header, padding, hashes and signature: what a camera that did not seal would not do. */
export function isSealing(url: string): boolean {
  return /\/firmware\/delivery\/(age[a-z-]*|sealer|recipient|manifest|object-file|padding)\.ts$/.test(url)
}

export function isIngest(url: string): boolean {
  return /\/harness\/cloud\/(?!broker|access)[a-z-]+\.ts$/.test(url)
}
