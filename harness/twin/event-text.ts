import type { LogLine } from "../../firmware/log.ts"

/** How the network fared, and what the clips themselves say once they are opened. */
const NOT_COMPARED: ReadonlySet<LogLine["event"]> = new Set([
  "object sealed",
  "manifest sent",
  "received",
  "connected",
  "disconnected",
  "upload repeated",
  "upload refused",
  "receipt refused",
  "head adopted",
])

/** Random in every run. */
const IDS: ReadonlySet<string> = new Set(["device", "clip", "clips"])

/** A line of the firmware's log without what differs from run to run; null: nothing of it is to be compared. */
export function eventText(line: LogLine): string | null {
  if (NOT_COMPARED.has(line.event)) return null
  const { event, ...fields } = line
  const said = Object.entries(fields)
    .filter(([name]) => !IDS.has(name) && name !== "at")
    .map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`)
  return [event, ...said]
    .join(", ")
    .replace(/[0-9a-f]{32,}/g, "…")
    .slice(0, 2_000)
}
