import type { LinkFaults } from "../../simulator/faults.ts"
import type { ScenarioFault } from "./faults-shape.ts"

/** One loss in a hundred ends the connection. */
const LOSS_RESETS = 0.01

/** What a scenario's "link" is to the simulator. */
export function linkFaultsOf(fault: Extract<ScenarioFault, { kind: "link" }>): Partial<LinkFaults> {
  return {
    latency: fault.latencyMs,
    jitter: fault.jitterMs,
    loss: fault.loss,
    lossStall: fault.stallMs,
    lossResets: LOSS_RESETS,
    bytesPerSecond: fault.bytesPerSecond ?? Number.POSITIVE_INFINITY,
    refuse: fault.refuse,
  }
}
