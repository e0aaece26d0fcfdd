import { type Milliseconds, type Seconds, seconds } from "../../firmware/units.ts"
import type { CloudStats } from "../cloud/cloud-log.ts"
import { CLOUD_NAME, type CloudIdentity } from "../cloud/keys.ts"
import type { ScenarioFault } from "../scenario/faults-shape.ts"
import type { Strike } from "../scenario/strikes.ts"
import { Child } from "./child.ts"
import type { SecondSeen } from "./cpu-split.ts"
import { type BucketFaults, noBucketFaults } from "./faulty-bucket.ts"
import type { CloudProgress, FromCloud, ToCloud, Usage } from "./messages.ts"
import type { RunFolder } from "./run-folder.ts"
import type { ReadyTarget } from "./target.ts"

type CloudChild = Child<ToCloud, FromCloud>

const MODULE = new URL("./cloud-process.ts", import.meta.url)

/**
 * The cloud's process through a run, and through all that strikes it: closed or killed, it comes back on the same port,
 * bucket and keys. What it used is added up over its lives.
 */
export class CloudKeeper {
  readonly #folder: RunFolder
  readonly #seed: number
  readonly #target: ReadyTarget
  readonly #ended = { cpuSeconds: 0, memoryMiB: 0, bytes: 0 }
  /** Of its latest life, once that has ended in order: which part of its time went into ingest, and when. */
  #share: number | null = null
  #seen: { readonly seconds: readonly SecondSeen[]; readonly from: Milliseconds } = { seconds: [], from: 0 }
  #countsFrom: Milliseconds = 0
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #faults = new Set<Partial<BucketFaults>>()
  #admitted: readonly string[] = []
  #child: CloudChild | null = null
  #latest: CloudProgress | null = null
  #port = 0
  #running = false
  #coming: Promise<void> = Promise.resolve()
  #fail: (error: unknown) => void = () => undefined
  /** Rejects when the process dies although nobody killed it. */
  readonly death: Promise<never>

  constructor(folder: RunFolder, seed: number, target: ReadyTarget) {
    this.#folder = folder
    this.#seed = seed
    this.#target = target
    this.death = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.death.catch(() => undefined) // whoever waits hears of it
  }

  async start(): Promise<{ readonly port: number; readonly identity: CloudIdentity }> {
    const child: CloudChild = new Child("cloud", MODULE)
    this.#child = child
    child.death.catch((error: unknown) => {
      if (this.#child === child) this.#fail(error)
    })
    child.on("progress", (progress) => {
      if (this.#child === child) this.#latest = progress
    })
    const listening = child.next("listening")
    const { bucket, cloudKeys, cloudLog } = this.#folder
    child.send({
      kind: "begin",
      name: CLOUD_NAME,
      port: this.#port,
      directory: bucket,
      keyFile: cloudKeys,
      logFile: cloudLog,
      seed: this.#seed,
      target: this.#target,
    })
    const { port, identity } = await listening
    this.#port = port
    child.send({ kind: "admit", devices: this.#admitted })
    child.send({ kind: "faults", faults: this.#bucketFaults() })
    if (this.#running) this.#count(child)
    return { port, identity }
  }

  /** At a broker that others use too: the cameras of this run, and no others. */
  admit(devices: readonly string[]): void {
    this.#admitted = devices
    this.#child?.send({ kind: "admit", devices })
  }

  /** From here on its cost counts. */
  run(): void {
    this.#running = true
    if (this.#child) this.#count(this.#child)
  }

  /** Made durable, over all its lives. */
  get bytes(): number {
    return this.#ended.bytes + (this.#latest?.bytes ?? 0)
  }

  /** Of its process, now; null: it is down. */
  get process(): number | null {
    return this.#child?.id ?? null
  }

  /** Now; null: it is down. */
  get memoryMiB(): number | null {
    return this.#latest?.memoryMiB ?? null
  }

  get usage(): Usage {
    const now = this.#latest?.usage
    const cpuSeconds = this.#ended.cpuSeconds + (now?.cpuSeconds ?? 0)
    return {
      cpuSeconds,
      memoryMiB: Math.max(this.#ended.memoryMiB, now?.memoryMiB ?? 0),
      share: this.#share,
    }
  }

  /** Second by second; `from` on the monotonic clock. Empty until it was closed. */
  get seen(): { readonly seconds: readonly SecondSeen[]; readonly from: Milliseconds } {
    return this.#seen
  }

  /** Lets faults strike it, each at its time; `begun` on the monotonic clock. */
  schedule(strikes: readonly Strike[], begun: Milliseconds): void {
    for (const { fault, cameras } of strikes)
      if (cameras === null) this.#at(begun + seconds(fault.at), () => this.#strike(fault))
  }

  /** What has not struck will not, what holds ends, and it is up again. */
  async recover(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#faults.clear()
    await this.#coming
    if (this.#child === null) await this.start()
    this.#child?.send({ kind: "faults", faults: noBucketFaults })
  }

  async close(): Promise<{ readonly usage: Usage; readonly stats: CloudStats }> {
    await this.recover()
    const child = this.#child
    if (child === null) throw new Error("a cloud that is not there")
    this.#child = null
    const stats = await this.#shut(child)
    return { usage: this.usage, stats }
  }

  async end(): Promise<void> {
    const child = this.#child
    this.#child = null
    await child?.end()
  }

  #count(child: CloudChild): void {
    this.#countsFrom = performance.now()
    child.send({ kind: "run" })
  }

  #strike(fault: ScenarioFault): void {
    if (fault.kind === "broker-kill") this.#goDown((child) => child.kill(), fault.for)
    if (fault.kind === "broker-restart") this.#goDown((child) => this.#shut(child), fault.for)
    if (fault.kind === "cloud-slow") this.#hold({ latency: fault.latencyMs }, fault.for)
    if (fault.kind === "cloud-failing") this.#hold({ failing: fault.likely }, fault.for)
    if (fault.kind === "cloud-full") this.#hold({ full: true }, fault.for)
  }

  /** In order: what is complete becomes durable, every connection ends. */
  async #shut(child: CloudChild): Promise<CloudStats> {
    const closed = child.next("closed")
    child.send({ kind: "close" })
    const { usage, stats, seen } = await closed
    this.#share = usage.share
    this.#seen = { seconds: seen, from: this.#countsFrom }
    if (this.#latest) this.#latest = { ...this.#latest, usage, bytes: stats.bytes }
    await child.end()
    return stats
  }

  #goDown(how: (child: CloudChild) => Promise<unknown>, duration: Seconds): void {
    const child = this.#child
    if (child === null) return
    this.#child = null
    const down = how(child).then(() => this.#remember())
    this.#coming = down.catch((error: unknown) => this.#fail(error))
    this.#after(seconds(duration), () => {
      this.#coming = this.#coming
        .then(async () => {
          if (this.#child === null) await this.start()
        })
        .catch((error: unknown) => this.#fail(error))
    })
  }

  #remember(): void {
    if (!this.#latest) return
    const { usage, bytes } = this.#latest
    this.#ended.cpuSeconds += usage.cpuSeconds
    this.#ended.memoryMiB = Math.max(this.#ended.memoryMiB, usage.memoryMiB)
    this.#ended.bytes += bytes
    this.#latest = null
  }

  #hold(faults: Partial<BucketFaults>, duration: Seconds): void {
    this.#faults.add(faults)
    this.#child?.send({ kind: "faults", faults: this.#bucketFaults() })
    this.#after(seconds(duration), () => {
      this.#faults.delete(faults)
      this.#child?.send({ kind: "faults", faults: this.#bucketFaults() })
    })
  }

  #bucketFaults(): BucketFaults {
    let all = noBucketFaults
    for (const { latency = 0, failing = 0, full = false } of this.#faults)
      all = {
        latency: all.latency + latency,
        failing: Math.max(all.failing, failing),
        full: all.full || full,
      }
    return all
  }

  #at(due: Milliseconds, task: () => void): void {
    this.#after(Math.max(0, due - performance.now()), task)
  }

  #after(wait: Milliseconds, task: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      task()
    }, wait)
    this.#timers.add(timer)
  }
}
