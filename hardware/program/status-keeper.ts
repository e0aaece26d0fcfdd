import { uptime } from "node:os"
import type { LogLine } from "../../firmware/log.ts"
import { CameraState } from "../../firmware/pins/camera-state.ts"
import type { Clock, Health } from "../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import type { EyesFacts } from "../detector/eyes.ts"
import { type CameraStatus, kernelBoot, writeStatus } from "./status-file.ts"
import type { WatchedDisk } from "./watched-disk.ts"

const EVERY: Milliseconds = seconds(10)
/** Many lines come together, and what they speak of is on the disk a moment later. */
const SOON: Milliseconds = seconds(0.5)

export interface StatusParts {
  readonly clock: Clock
  readonly disk: WatchedDisk
  readonly health: Health
  readonly version: string
  readonly broker: string | null
  readonly runtime: string
  /** What it recognises by; null: nothing yet. */
  readonly recognition?: () => EyesFacts | null
  /** A new state, in words. */
  readonly onState: (state: CameraStatus["state"]) => void
  /** The status file could not be written: told once. */
  readonly onError: (error: unknown) => void
}

/** Keeps the status file as the log says: when something changes, and every ten seconds. */
export class StatusKeeper {
  readonly #parts: StatusParts
  readonly #state: CameraState
  readonly #startedAt = nowText()
  #facts = {
    device: null as string | null,
    paired: false,
    connectedSince: null as string | null,
    lastDeliveredAt: null as string | null,
    lens: null as string | null,
    lastFault: null as CameraStatus["lastFault"],
  }
  #told: CameraStatus["state"] | null = null
  #ended = false
  #failed = false
  #writing: Promise<void> | null = null
  #again = false
  #cancel: () => void = () => undefined
  /** Cancels the write that is to come. */
  #soon: (() => void) | null = null

  constructor(parts: StatusParts) {
    this.#parts = parts
    this.#state = new CameraState(parts.clock)
    this.#tick()
  }

  note(line: LogLine): void {
    this.#state.note(line)
    this.#remember(line)
    if (this.#state.now !== this.#told) this.#write()
    else this.#soon ??= this.#parts.clock.after(SOON, () => this.#write())
  }

  knows(facts: { readonly device: string; readonly paired: boolean }): void {
    this.#facts = { ...this.#facts, ...facts }
    this.#write()
  }

  /** Resolves when the last word is written. */
  async close(): Promise<void> {
    this.#cancel()
    this.#ended = true
    this.#write()
    while (this.#writing) await this.#writing
  }

  #remember(line: LogLine): void {
    const facts = this.#facts
    switch (line.event) {
      case "started":
        Object.assign(facts, { device: line.device, paired: true })
        break
      case "paired":
        Object.assign(facts, { device: line.device, paired: true })
        break
      case "connected":
        facts.connectedSince = nowText()
        break
      case "disconnected":
      case "stopped":
        facts.connectedSince = null
        break
      case "received":
        facts.lastDeliveredAt = nowText()
        break
      case "lens chosen":
        facts.lens = line.lens
        break
      case "lens lost":
        facts.lastFault = { at: nowText(), where: "lens", reason: line.reason }
        break
      case "fault":
        facts.lastFault = { at: nowText(), where: line.where, reason: line.reason }
        break
    }
  }

  #tick(): void {
    this.#write()
    this.#cancel = this.#parts.clock.after(EVERY, () => this.#tick())
  }

  /** One at a time; what changes meanwhile goes into one more. */
  #write(): void {
    this.#soon?.()
    this.#soon = null
    const state = this.#ended ? "stopped" : this.#state.now
    if (state !== this.#told) this.#parts.onState(state)
    this.#told = state
    this.#again = true
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null
    })
  }

  async #writeAll(): Promise<void> {
    while (this.#again) {
      this.#again = false
      try {
        await writeStatus(this.#parts.runtime, await this.#status())
      } catch (error) {
        if (!this.#failed) this.#parts.onError(error)
        this.#failed = true
      }
    }
  }

  async #status(): Promise<CameraStatus> {
    const { disk, health, version, broker } = this.#parts
    return {
      version,
      process: process.pid,
      boot: await kernelBoot(),
      uptimeSeconds: uptime(),
      startedAt: this.#startedAt,
      writtenAt: nowText(),
      state: this.#ended ? "stopped" : this.#state.now,
      broker,
      ...this.#facts,
      spool: disk.holdings(),
      recognition: recognitionOf(this.#parts.recognition?.() ?? null),
      freeBytes: await disk.free().catch(() => null),
      ...(await health.read()),
    }
  }
}

function recognitionOf(facts: EyesFacts | null): CameraStatus["recognition"] {
  if (!facts) return null
  const { family, runtime, memory, pictures, perPicture, damaged } = facts
  return {
    ...{ family, runtime, pictures },
    ...{ memoryBytes: memory, millisecondsPerPicture: perPicture, damagedKeyFrames: damaged },
  }
}

function nowText(): string {
  return new Date().toISOString()
}
