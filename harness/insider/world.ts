import type { Dialler } from "../../firmware/ports.ts"
import type { Tally } from "../checks/check.ts"
import type { Bucket } from "../cloud/bucket.ts"
import type { IndexDatabase } from "../cloud/index/database.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import type { Owner } from "../load/pairing.ts"
import type { Home } from "./home.ts"
import type { CheckId } from "./privacy-checks.ts"

/**
 * What a run leaves to those who would look anyway. Insiders take what their role has of it and nothing more; the owners'
 * keys and the canaries are the judge's, to know what was had.
 */
export interface World {
  readonly seed: number
  readonly cloud: CloudIdentity
  /** How anybody comes to the broker. */
  readonly dialler: Dialler
  /** Ports of this run that may be open, on loopback. */
  readonly ports: readonly number[]
  /** Its processes, by id. */
  readonly processes: readonly number[]
  /** Homes whose cameras run in this process, under the same load and the same faults as all others. */
  readonly homes: readonly Home[]
  /** Everybody else's owners, of cameras that run elsewhere. */
  readonly others: readonly Owner[]
  readonly accounts: readonly { readonly email: string; readonly inbox: string }[]
  readonly holdings: Holdings
}

/** All that the cloud has. */
export interface Holdings {
  /** JSON with the cloud's own secret keys. */
  readonly keyFile: string
  /** As it is now; also beside a cloud that runs. */
  readBucket(): Promise<Bucket>
  /** The index, brought up to date. */
  database(): Promise<IndexDatabase>
  /** Of the access log; null: this cloud keeps none. */
  readonly accessLog: string | null
  readonly bucketFolder: string
  /** Files with lines of the cloud, the accounts and the cameras. */
  readonly logs: readonly string[]
  /** Everything of the run in which nothing may be plain: files and folders. */
  readonly places: readonly string[]
}

/** When somebody tries: while cameras run, or with what is left once all is over. */
export type When = "during" | "after"

export interface Attempt {
  readonly when: When
  /** Tries in vain, or not. @throws when it could not look, never for what it found. */
  run(world: World, signal: AbortSignal): Promise<Tally>
}

/** Somebody with access, as a program with everything that this person has. */
export interface Insider {
  readonly name: string
  /** Who it is, and what they have. */
  readonly has: string
  readonly attempts: Readonly<Partial<Record<CheckId, Attempt>>>
}
