import { randomBytes } from "node:crypto"
import type { Random } from "../firmware/ports.ts"

/** Jitter from the platform's secure source: two cameras that boot together must not retry together. */
export const platformRandom: Random = {
  // 53 bits, the most that a double in [0, 1) can tell apart.
  next: () => Number(randomBytes(8).readBigUInt64BE() >> 11n) / 2 ** 53,
}
