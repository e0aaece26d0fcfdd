import { createHash } from "node:crypto"
import type { Random } from "../firmware/ports.ts"

/**
 * A stream of numbers that `seed` repeats: sfc32 (Chris Doty-Humphrey, PractRand), started from a hash of seed and
 * stream name. Streams of different names are independent, so that one more draw in camera 7's rain does not move
 * camera 8's burglar. Never for keys: those are real in the simulator too.
 */
export function seededRandom(seed: number, ...stream: readonly (string | number)[]): Random {
  const state = createHash("sha256")
    .update(JSON.stringify([seed, ...stream]))
    .digest()
  let a = state.readInt32LE(0)
  let b = state.readInt32LE(4)
  let c = state.readInt32LE(8)
  let counter = state.readInt32LE(12)
  return {
    next() {
      const sum = (a + b + counter) | 0
      counter = (counter + 1) | 0
      a = b ^ (b >>> 9)
      b = (c + (c << 3)) | 0
      c = (((c << 21) | (c >>> 11)) + sum) | 0
      return (sum >>> 0) / 2 ** 32
    },
  }
}

/** Uniform in [low, high). */
export function between(random: Random, low: number, high: number): number {
  return low + random.next() * (high - low)
}

/** One of `choices`, each as likely; there must be one. */
export function pick<T>(random: Random, choices: readonly [T, ...T[]]): T {
  return choices[Math.floor(random.next() * choices.length)] ?? choices[0]
}

/** true with `probability`, 0 to 1. */
export function chance(random: Random, probability: number): boolean {
  return random.next() < probability
}
