import { isFault } from "../../firmware/errors.ts"
import type { UnixMilliseconds } from "../../firmware/units.ts"

/** What an owner should know about an access log: each a promise that the log has broken, or seems to. */
export type LogAlert =
  | {
      readonly kind: "rolled back"
      readonly size: number
      readonly before: number
      readonly at: UnixMilliseconds
    }
  | { readonly kind: "forked"; readonly size: number; readonly before: number; readonly at: UnixMilliseconds }
  | { readonly kind: "removed"; readonly device: string; readonly from: number; readonly to: number }
  | { readonly kind: "changed"; readonly device: string; readonly number: number }
  | { readonly kind: "reordered"; readonly device: string; readonly number: number }
  | { readonly kind: "not a record"; readonly device: string; readonly reason: string }
  | { readonly kind: "twice"; readonly device: string; readonly trace: string }
  | { readonly kind: "not logged"; readonly device: string; readonly trace: string }
  | { readonly kind: "damaged"; readonly device: string | null; readonly reason: string }

export class LogAlerts {
  readonly #all: LogAlert[] = []

  get all(): readonly LogAlert[] {
    return this.#all
  }

  add(alert: LogAlert): void {
    this.#all.push(alert)
  }

  concern(device: string): boolean {
    return this.#all.some((alert) => "device" in alert && alert.device === device)
  }

  /** null: what was read is no part of a log, or missing; that is an alert. Each reason is told once. */
  async reading<T>(device: string | null, read: () => Promise<T>): Promise<T | null> {
    try {
      return await read()
    } catch (error) {
      if (!isFault(error) || !["malformed", "unavailable"].includes(error.kind)) throw error
      const reason = error.message
      const isTold = this.#all.some(
        (alert) => alert.kind === "damaged" && alert.reason === reason && alert.device === device,
      )
      if (!isTold) this.add({ kind: "damaged", device, reason })
      return null
    }
  }
}

/** One line for a person. */
export function describeLogAlert(alert: LogAlert): string {
  switch (alert.kind) {
    case "rolled back":
      return `rolled back: the log has ${alert.size} entries, and had ${alert.before} on ${dateOf(alert.at)}`
    case "forked":
      return `forked: these ${alert.size} entries do not continue the ${alert.before} that you saw on ${dateOf(alert.at)}: one was removed, changed or moved, or others are shown another log`
    case "removed":
      return alert.from === alert.to
        ? `removed: record ${alert.from} of this camera`
        : `removed: records ${alert.from} to ${alert.to} of this camera`
    case "changed":
      return `changed: record ${alert.number} of this camera is not the one in the log`
    case "reordered":
      return `reordered: record ${alert.number} of this camera stands in the log before the one that it follows`
    case "not a record":
      return `not a record: ${alert.reason}`
    case "twice":
      return `logged twice: ${alert.trace}`
    case "not logged":
      return `not logged: ${alert.trace}, which you know of without the cloud`
    case "damaged":
      return `damaged: ${alert.reason}`
  }
}

export const dateOf = (at: UnixMilliseconds): string => new Date(at).toISOString()
