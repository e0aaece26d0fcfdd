/**
 * Everything in a drawing that looks like chance, from a seed: the same seed gives the same picture on every machine.
 * Integer hashing rather than a stream of numbers, so that pixels can be asked for in any order.
 */

/** 32 well-mixed bits of two coordinates and a seed. */
export function hash(x: number, y: number, seed: number): number {
  let bits = Math.imul(x | 0, 0x85ebca6b) ^ Math.imul(y | 0, 0xc2b2ae35) ^ Math.imul(seed | 0, 0x27d4eb2f)
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d)
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39)
  return (bits ^ (bits >>> 15)) >>> 0
}

/** Uniform in [0, 1), at whole coordinates. */
export function speckle(x: number, y: number, seed: number): number {
  return hash(Math.floor(x), Math.floor(y), seed) / 0x1_0000_0000
}

/** Smooth noise in [0, 1), one blob per unit square. */
export function smooth(x: number, y: number, seed: number): number {
  const left = Math.floor(x)
  const top = Math.floor(y)
  const u = ease(x - left)
  const v = ease(y - top)
  const upper = mix(speckle(left, top, seed), speckle(left + 1, top, seed), u)
  const lower = mix(speckle(left, top + 1, seed), speckle(left + 1, top + 1, seed), u)
  return mix(upper, lower, v)
}

/** Smooth noise over several sizes, in [0, 1): clouds, grass, foliage. */
export function cloudy(x: number, y: number, seed: number, octaves = 4): number {
  let sum = 0
  let weight = 0.5
  let total = 0
  for (let octave = 0; octave < octaves; octave++) {
    sum += weight * smooth(x * 2 ** octave, y * 2 ** octave, seed + octave)
    total += weight
    weight /= 2
  }
  return sum / total
}

export function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share
}

/** 0 below `low`, 1 above `high`, a straight line between. */
export function ramp(low: number, high: number, value: number): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low)))
}

function ease(t: number): number {
  return t * t * (3 - 2 * t)
}
