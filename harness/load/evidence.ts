import type { Bytes } from "../../firmware/units.ts"
import type { FleetCamera } from "../../simulator/fleet.ts"
import type { Identity } from "../owner/age-identity.ts"
import type { ObjectSource } from "../owner/vault.ts"
import type { Limits } from "./findings.ts"
import type { CameraResult } from "./messages.ts"
import type { Owner } from "./pairing.ts"
import type { PlainThing } from "./plain-search.ts"
import type { Invariant } from "./report.ts"
import type { Struck } from "./struck.ts"

/** Everything a judge may look at. Nothing of it is believed but what the cameras say they recorded. */
export interface Evidence {
  readonly seed: number
  readonly camera: (index: number) => FleetCamera
  /** One for each camera that was asked for, whether it came up or not. */
  readonly cameras: readonly CameraResult[]
  readonly owners: readonly Owner[]
  readonly source: ObjectSource
  /** How many objects the bucket holds, listed in a manifest or not. */
  readonly storedObjects: number
  readonly serverKeys: readonly Identity[]
  /** Searched for in `plainPlaces`, which are files and folders, and in `plainThings`, which are none. */
  readonly canary: string
  readonly plainPlaces: readonly string[]
  readonly plainThings?: AsyncIterable<PlainThing> | null
  /** What struck a camera, and when. What its complaints say of it is left out of them already. */
  readonly struck: Struck
  readonly strangersLetIn: number
  readonly limits: Limits
}

export interface Judgement {
  readonly clips: {
    recorded: number
    discarded: number
    cut: number
    delivered: number
    opened: number
    lost: number
    doubled: number
    openedByOthers: number
  }
  readonly segments: { sealed: number; delivered: number; dropped: number }
  readonly bytes: { sealed: Bytes; padding: Bytes; delivered: Bytes }
  readonly cameras: { connected: number; failed: number }
  readonly invariants: readonly Invariant[]
  /** One line each, naming the camera; at most `FAILURES_MAX`. */
  readonly failures: readonly string[]
  /** Of each camera that lost any. */
  readonly lostOf: ReadonlyMap<number, number>
}

export interface JudgeOptions {
  /** Called for each clip of a camera's that its owner opened. */
  readonly onOpened?: (index: number, clip: string, film: Uint8Array) => Promise<void>
  /** After each camera. */
  readonly onProgress?: (cameras: number, bytes: Bytes) => void
}
