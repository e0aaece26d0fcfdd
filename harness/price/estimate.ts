import type { BitsPerSecond, Bytes, Seconds } from "../../firmware/units.ts"

/**
 * Sealing on a Raspberry Pi, estimated: no Pi was measured. The cipher runs at the speed that is published for the
 * processor; everything else (key agreement, signature, JavaScript) is as many times slower as single-threaded work is.
 */
export interface PiModel {
  readonly name: string
  /** ChaCha20-Poly1305 on one core. */
  readonly cipherBytesPerSecond: number
  /** One core of it, against one of a server of about 2023. */
  readonly timesSlower: number
}

export const PI_MODELS: readonly PiModel[] = [
  { name: "Pi Zero 2 W", cipherBytesPerSecond: 162e6, timesSlower: 15 },
  { name: "Pi 4", cipherBytesPerSecond: 269e6, timesSlower: 7 },
  { name: "Pi 5", cipherBytesPerSecond: 540e6, timesSlower: 3 },
]

export const SOURCES: readonly string[] = [
  "Raspberry Pi: estimates, none was measured.",
  "ChaCha20-Poly1305 at 162 MB/s (Zero 2 W) and 269 MB/s (Pi 4): from published `openssl speed` results of Cortex-A53 " +
    "and Cortex-A72, scaled to the board's clock. 540 MB/s (Pi 5): an assumption, twice a Pi 4 for a Cortex-A76 at 2.4 GHz.",
  "All else 15, 7 and 3 times slower than one core here: assumptions without a source, meant for a server core of " +
    "about 2023.",
]

/** CPU seconds of sealing one object there, from what it takes here. */
export function onPi(
  { cipherBytesPerSecond, timesSlower }: PiModel,
  here: { readonly seconds: Seconds; readonly cipherBytesPerSecond: number },
  objectBytes: Bytes,
): Seconds {
  const rest = Math.max(0, here.seconds - objectBytes / here.cipherBytesPerSecond)
  return objectBytes / cipherBytesPerSecond + rest * timesSlower
}

export const CAMERA_BITRATES: readonly BitsPerSecond[] = [1e6, 2e6, 4e6, 8e6]
