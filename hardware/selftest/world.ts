import type { CameraConfig } from "../../firmware/config.ts"
import type { Clock, Dialler, Disk, Frame, Health, Lens, Random, Store } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import type { InputPins } from "../wire.ts"

/**
 * What the self-test looks at: the ports of this board, each opened by itself, so that a board without a camera still
 * learns how its disk does.
 */
export interface World {
  readonly config: CameraConfig
  readonly clock: Clock
  readonly random: Random
  readonly health: Health
  readonly network: Network
  /** Since the board was switched on, and its sensors with it. */
  readonly uptime: () => Milliseconds
  readonly lens: Part<Lens>
  /** Which program gives the pictures, and why that one; empty without a lens. */
  readonly lensChoice: { readonly program: string; readonly reason: string }
  /** What the camera sees, uncompressed: a frame is good until the next is asked for. */
  readonly luma: Part<(signal: AbortSignal) => AsyncIterable<Frame>>
  readonly pins: Part<InputPins>
  /** The camera's state. The self-test only reads it. */
  readonly disk: Part<Disk>
  /** On the same medium as `disk`, for trying: removed afterwards. */
  readonly scratch: Part<Store>
  /** null: the camera has not made its key yet. */
  readonly keyFile: () => Promise<KeyFile | null>
  /** null: the settings name no broker. */
  readonly broker: { readonly host: string; readonly dialler: Dialler } | null
}

/** A part of the board. @throws the Fault for which it could not be opened. */
export type Part<T> = () => T

export interface KeyFile {
  /** Permission bits of the file and of the folder it is in. */
  readonly mode: number
  readonly folderMode: number
  /** It is this user's. */
  readonly ours: boolean
}

/** What can be known of the network without sending anything but a question for a name. */
export interface Network {
  /** The interface of the default route, such as "wlan0"; null: there is none. */
  defaultRoute(): Promise<string | null>
  /** The addresses of `host`. @throws Fault "unavailable", definite: no name server, or no such name. */
  resolve(host: string): Promise<readonly string[]>
}
