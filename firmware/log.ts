import type { FaultKind } from "./errors.ts"
import type { Bytes, Milliseconds } from "./units.ts"

/**
 * Every line a camera can write. A closed vocabulary on purpose: the harness counts by it, and a key, token or name
 * has no field to land in. `reason` is an error's message: whoever writes one quotes no secret. Numbers are counts,
 * milliseconds or bytes as their names say.
 */
export type LogLine =
  | { readonly event: "started"; readonly device: string }
  | { readonly event: "stopped" }
  /** It was somebody's, and is nobody's now: who it was. */
  | { readonly event: "reset"; readonly device: string }
  /** It waits for a press of its button. */
  | { readonly event: "no owner yet"; readonly device: string }
  | { readonly event: "looking for a setup text" }
  | { readonly event: "pairing opened" }
  | { readonly event: "pairing failed"; readonly reason: string; readonly triesLeft: number }
  | { readonly event: "paired"; readonly device: string }
  | { readonly event: "lens chosen"; readonly lens: "rpicam-vid" | "raspicam"; readonly reason: string }
  | { readonly event: "lens warning"; readonly reason: string }
  | {
      readonly event: "helper restarted"
      readonly helper: string
      readonly reason: string
      readonly againIn: Milliseconds
    }
  /** Of the detector. `memory`: by how much the process grew. */
  | {
      readonly event: "model ready"
      readonly model: string
      readonly family: string
      readonly runtime: string
      readonly loadTime: Milliseconds
      readonly memory: Bytes
    }
  /** How long it looks at a picture: the median of the last. */
  | { readonly event: "model pace"; readonly pictures: number; readonly median: Milliseconds }
  | { readonly event: "lens lost"; readonly reason: string; readonly againIn: Milliseconds }
  | { readonly event: "lens back" }
  | { readonly event: "media skipped"; readonly reason: MediaFlaw; readonly count: number }
  | { readonly event: "long group of pictures"; readonly duration: Milliseconds }
  | { readonly event: "light"; readonly on: boolean; readonly holds: readonly string[] }
  | { readonly event: "motion"; readonly trigger: "motion" | "bell"; readonly at: Milliseconds }
  /** What it tells visitors by, and what it lacks for that; null: nothing. */
  | {
      readonly event: "recognition"
      readonly by: "detector" | "motion" | "nothing"
      readonly lacks: string | null
    }
  | { readonly event: "clip opened"; readonly clip: string; readonly trigger: "motion" | "bell" }
  | {
      readonly event: "object sealed"
      readonly clip: string
      readonly kind: string
      readonly index: number
      readonly sealedBytes: Bytes
      readonly paddingBytes: Bytes
    }
  | {
      readonly event: "clip recorded"
      readonly clip: string
      readonly segments: number
      readonly objects: number
    }
  /** What settled it: `recognise/verdict.ts`. Not who was seen. */
  | { readonly event: "verdict"; readonly clip: string; readonly keep: boolean; readonly by: string }
  | { readonly event: "clip discarded"; readonly clip: string; readonly segments: number }
  | { readonly event: "clip recovered"; readonly clip: string; readonly segments: number }
  | { readonly event: "clip lost"; readonly clip: string; readonly reason: string }
  | { readonly event: "dropped"; readonly from: number; readonly to: number; readonly cause: string }
  | { readonly event: "spool damaged"; readonly entry: string; readonly reason: string }
  | { readonly event: "connected" }
  | { readonly event: "disconnected"; readonly reason: string; readonly againIn: Milliseconds }
  | { readonly event: "manifest sent"; readonly sequence: number; readonly objects: number }
  | {
      readonly event: "received"
      readonly from: number
      readonly to: number
      /** Of which it held anything. */
      readonly clips: readonly string[]
      readonly after: Milliseconds
    }
  | { readonly event: "upload repeated"; readonly sequence: number; readonly reason: string }
  | { readonly event: "upload refused"; readonly sequence: number; readonly reason: string }
  | { readonly event: "receipt refused"; readonly reason: string }
  | { readonly event: "head adopted"; readonly sequence: number }
  | { readonly event: "recipients changed"; readonly epoch: number }
  | { readonly event: "live view"; readonly session: string; readonly viewer: string }
  | {
      readonly event: "live view ended"
      readonly session: string
      readonly cause: string
      readonly pictures: number
    }
  | { readonly event: "privacy"; readonly on: boolean }
  | {
      readonly event: "command"
      readonly kind: string
      readonly result: "done" | "refused"
      readonly reason: string
    }
  | {
      readonly event: "fault"
      readonly where: string
      readonly kind: FaultKind | "unknown"
      readonly reason: string
    }

/** Why media was skipped to the next key frame. */
export type MediaFlaw =
  | "before the first key frame"
  | "no parameter sets"
  | "malformed parameter sets"
  | "malformed slice"
  | "missing first slice"
  | "unit too large"
  | "changed picture size"
