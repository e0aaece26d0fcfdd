import { type Profiler, Session } from "node:inspector"
import { promisify } from "node:util"
import { type Milliseconds, minutes, type Seconds } from "../../firmware/units.ts"

/** How often V8 looks: often enough to tell parts apart over seconds, seldom enough to cost next to nothing. */
const LOOK_EVERY_MICROSECONDS = 10_000
/** Samples are kept in memory; a long run is known by its first minutes. */
const LOOK_FOR: Milliseconds = minutes(15)
const NOBODYS = ["(root)", "(program)", "(idle)", "(garbage collector)"]

/** How often V8 saw the process busy, and in the part, in one second. */
export interface SecondSeen {
  readonly busy: number
  readonly part: number
}

/**
 * Which part of this process's busy time code in certain files takes, native calls included: the built-in sampling
 * profiler looks a hundred times a second, and what is on the stack is counted. The collector's time is nobody's.
 * Threads of the platform's pool are not seen.
 *
 * It begins once and ends once: to begin, V8 walks the whole heap, which in a process of thousands of cameras takes
 * seconds.
 */
export class CpuSplit {
  readonly #session = new Session()
  readonly #isPart: (url: string) => boolean
  readonly #post: (method: string, params: object) => Promise<unknown>
  #from = 0
  #timer: NodeJS.Timeout | null = null
  #stopping: Promise<void> | null = null
  #seconds: SecondSeen[] = []

  /** `isPart`: does this file belong to the part? */
  constructor(isPart: (url: string) => boolean) {
    this.#isPart = isPart
    this.#post = promisify(
      (method: string, params: object, done: (error: Error | null, result?: unknown) => void) =>
        this.#session.post(method, params, done),
    )
  }

  /** Early, while the heap is small. */
  async start(): Promise<void> {
    this.#session.connect()
    await this.#post("Profiler.enable", {})
    await this.#post("Profiler.setSamplingInterval", { interval: LOOK_EVERY_MICROSECONDS })
    await this.#post("Profiler.start", {})
    this.#timer = setTimeout(() => void this.stop(), LOOK_FOR)
    this.#timer.unref()
  }

  /** What was before does not count. */
  count(): void {
    this.#from = performance.now()
  }

  /** Resolves when the shares are known. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopNow()
    return this.#stopping
  }

  /** 0 to 1, of the busy time; null before `stop`, and where it was never seen busy. */
  get share(): number | null {
    const busy = this.#seconds.reduce((sum, each) => sum + each.busy, 0)
    return busy === 0 ? null : this.#seconds.reduce((sum, each) => sum + each.part, 0) / busy
  }

  /** By second since `count`; empty before `stop`. */
  get seconds(): readonly SecondSeen[] {
    return this.#seconds
  }

  async #stopNow(): Promise<void> {
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    const { profile } = (await this.#post("Profiler.stop", {})) as { readonly profile: Profiler.Profile }
    this.#session.disconnect()
    this.#seconds = this.#count(profile, performance.now())
  }

  #count(
    { nodes, samples = [], timeDeltas = [], endTime }: Profiler.Profile,
    now: Milliseconds,
  ): SecondSeen[] {
    const kinds = this.#kindsOf(nodes)
    const counted: { busy: number; part: number }[] = []
    const startTime = endTime - timeDeltas.reduce((sum, delta) => sum + delta, 0)
    let at = startTime
    for (const [i, id] of samples.entries()) {
      at += timeDeltas[i] ?? 0
      const kind = kinds.get(id)
      const second: Seconds = Math.floor((now - (endTime - at) / 1_000 - this.#from) / 1_000)
      if (kind === undefined || second < 0) continue
      while (counted.length <= second) counted.push({ busy: 0, part: 0 })
      const slot = counted[second]
      if (!slot) continue
      slot.busy++
      if (kind === "part") slot.part++
    }
    return counted
  }

  /** Of each node where somebody is at work: natives and node's own files count for whoever called them. */
  #kindsOf(nodes: readonly Profiler.ProfileNode[]): ReadonlyMap<number, "part" | "other"> {
    const byId = new Map(nodes.map((node) => [node.id, node]))
    const kinds = new Map<number, "part" | "other">()
    const [root] = nodes
    const open: (readonly [Profiler.ProfileNode, boolean])[] = root ? [[root, false]] : []
    for (let next = open.pop(); next; next = open.pop()) {
      const [node, caller] = next
      const { functionName, url } = node.callFrame
      const inPart = url === "" || url.startsWith("node:") ? caller : this.#isPart(url)
      if (!NOBODYS.includes(functionName)) kinds.set(node.id, inPart ? "part" : "other")
      for (const id of node.children ?? []) {
        const child = byId.get(id)
        if (child) open.push([child, inPart])
      }
    }
    return kinds
  }
}

/** Cipher, age header, padding, hashes and signature: what a camera that did not seal would not do. */
export function isSealing(url: string): boolean {
  return /\/firmware\/delivery\/(age[a-z0-9-]*|sealer|recipient|manifest|object-file|padding)\.ts$/.test(url)
}

export function isIngest(url: string): boolean {
  return /\/harness\/(cloud\/(?!broker|access)[a-z0-9-]+|load\/faulty-bucket)\.ts$/.test(url)
}
