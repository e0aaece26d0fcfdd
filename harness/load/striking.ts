import type { Dialler } from "../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import type { SomeFaults } from "../../simulator/faults.ts"
import type { Fleet, Member } from "../../simulator/fleet.ts"
import type { ScenarioFault } from "../scenario/faults-shape.ts"
import { linkFaultsOf } from "../scenario/link-faults.ts"
import type { Strike } from "../scenario/strikes.ts"
import { connectTwice, connectWithWrongKey } from "./strangers.ts"

/** Lets faults strike the cameras of one process, each at its time; all of them end when the run grows quiet. */
export class Striking {
  strangersLetIn = 0
  readonly #fleet: Fleet
  readonly #dialler: Dialler
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #ends = new Set<() => void>()
  readonly #approaches: Promise<void>[] = []

  /** `dialler`: how strangers reach the broker. */
  constructor(fleet: Fleet, dialler: Dialler) {
    this.#fleet = fleet
    this.#dialler = dialler
  }

  /** `begun`: the fleet's start on the monotonic clock. */
  schedule(strikes: readonly Strike[], begun: Milliseconds): void {
    for (const { fault, cameras } of strikes) {
      if (cameras === null) continue
      this.#at(begun + seconds(fault.at), () => {
        for (const index of cameras) {
          const member = this.#fleet.member(index)
          if (member) this.#strike(member, fault, begun)
        }
      })
    }
  }

  /** What has not struck will not, and what holds ends. */
  end(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    for (const end of [...this.#ends]) end()
  }

  /** Every stranger has been let in or turned away. */
  async settled(): Promise<void> {
    await Promise.all(this.#approaches)
  }

  #strike(member: Member, fault: ScenarioFault, begun: Milliseconds): void {
    const end = start(member, fault)
    if (fault.kind === "wrong-key" || fault.kind === "duplicate-client") this.#approach(member, fault.kind)
    if (end === null) return
    const over = () => {
      if (this.#ends.delete(over)) end()
    }
    this.#ends.add(over)
    if ("for" in fault) this.#at(begun + seconds(fault.at + fault.for), over)
  }

  #approach(member: Member, kind: "wrong-key" | "duplicate-client"): void {
    const trying =
      kind === "wrong-key" ? connectWithWrongKey(member, this.#dialler) : connectTwice(member, this.#dialler)
    this.#approaches.push(
      trying.then(
        (letIn) => {
          if (letIn && kind === "wrong-key") this.strangersLetIn++
        },
        (error: unknown) => {
          member.fault ??= String(error)
        },
      ),
    )
  }

  #at(due: Milliseconds, task: () => void): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        task()
      },
      Math.max(0, due - performance.now()),
    )
    this.#timers.add(timer)
  }
}

/** Begins what `fault` does to one camera. What ends it; null: it was one moment, or is for ever. */
function start(member: Member, fault: ScenarioFault): (() => void) | null {
  switch (fault.kind) {
    case "cut":
      member.cutLink()
      return null
    case "half-open":
      member.halfOpen()
      return null
    case "power-cut": {
      const end = member.strike({ disk: { keptByCut: fault.torn } })
      member.cutPower()
      return () => {
        end()
        member.restorePower()
      }
    }
    case "partition": {
      const end = member.strike({ link: { refuse: 1 } })
      member.cutLink()
      return end
    }
    case "clock-jump":
      member.strike(faultsOf(fault))
      return null
    default:
      return member.strike(faultsOf(fault))
  }
}

function faultsOf(fault: ScenarioFault): SomeFaults {
  switch (fault.kind) {
    case "link":
      return { link: linkFaultsOf(fault) }
    case "stall":
      return { link: { stalled: true } }
    case "disk-full":
      return { disk: { full: true } }
    case "disk-slow":
      return { disk: { latency: fault.latencyMs, bytesPerSecond: fault.bytesPerSecond } }
    case "clock-jump":
      return { clock: { skew: seconds(fault.seconds) } }
    case "no-ntp":
      return { clock: { uncertainty: Number.POSITIVE_INFINITY } }
    case "lens-stall":
      return { lens: { stalled: true } }
    case "lens-dies":
      return { lens: { dead: true } }
    case "lens-splits":
      return { lens: { split: true } }
    default:
      return {}
  }
}
