import "./wall.ts"
import "../virtual/install.ts"
import type { CameraConfig } from "../../firmware/config.ts"
import { Fault } from "../../firmware/errors.ts"
import { minutes, seconds } from "../../firmware/units.ts"
import { OwnerKeys } from "../owner/keys.ts"
import { type Summary, summaryOf, type VaultObject } from "../owner/vault.ts"
import { Household } from "../virtual/household.ts"
import { time } from "../virtual/install.ts"
import { memoryCloud } from "../virtual/memory-cloud.ts"
import { porch } from "../virtual/porch.ts"
import { type CameraRun, EPOCH } from "./camera-run.ts"
import { NO_BYTES, type Outcome, type TracedSummary } from "./trace.ts"

/** A household that lives as long as one trace: keys, disk and cloud in memory, nothing of it is left. */
export async function throwAwayHousehold(config: CameraConfig): Promise<Household> {
  const cloud = await memoryCloud()
  const household = new Household({
    ...{ seed: 1, index: 0, footage: await porch(), config, cloud },
    onLine: () => undefined,
  })
  const paired = await time.settle(household.pair(await OwnerKeys.create()), minutes(2))
  if (!paired) throw new Fault("broken", "twin: its own camera could not be paired")
  return household
}

/** What the owner finds in the cloud once all of `run` is delivered: every clip, opened, in the order in which they began. */
export async function openedBy(household: Household, { openedAt }: CameraRun): Promise<readonly Outcome[]> {
  await deliverRest(household)
  const vault = household.vault()
  if (vault === null) throw new Fault("broken", "twin: its own camera has no owner")
  const { clips } = await vault.view()
  const outcome: Outcome[] = []
  for (const clip of clips) {
    const at = openedAt.get(clip.clip) ?? 0
    const summary = isHere(clip.summary) ? asTraced(await summaryOf(vault, clip.summary)) : null
    outcome.push({ port: "cloud", at, what: "clip", summary, whole: clip.whole, bytes: NO_BYTES })
    for (const segment of clip.segments.filter(isHere))
      outcome.push({ port: "cloud", at, what: "segment", bytes: await vault.open(segment) })
    if (isHere(clip.thumbnail))
      outcome.push({ port: "cloud", at, what: "thumbnail", bytes: await vault.open(clip.thumbnail) })
  }
  return outcome
}

function isHere(object: VaultObject | null): object is VaultObject {
  return object?.fate === "received"
}

function asTraced({ trigger, startedAt, duration, segments, label, by }: Summary): TracedSummary {
  return { trigger, startedAt: startedAt.at - EPOCH, duration, segments, label, by }
}

/** The camera was stopped, perhaps in the middle of an upload: it boots once more, and nothing moves. */
async function deliverRest(household: Household): Promise<void> {
  household.powerOn()
  await time.advance(seconds(60))
  await time.settle(household.stop(), minutes(1))
  if (household.fault !== null) throw household.fault
}
