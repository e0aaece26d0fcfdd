import { Buffer } from "node:buffer"
import { parsePpsIds, parseSps, type Sps } from "./sps.ts"

/**
 * What a decoder must have before a picture: one SPS and the PPSs that refer to it (ISO/IEC 14496-10 §7.4.1.2.1).
 * The same object as long as not a byte of them changes, so `===` tells whether a decoder must be set up anew.
 */
export interface ParameterSets {
  /** NAL units with their header byte. */
  readonly sps: Uint8Array
  /** By rising id, at least one. */
  readonly pps: readonly Uint8Array[]
  readonly picture: Sps
}

interface HeldSps {
  readonly nal: Uint8Array
  readonly picture: Sps
  sets: ParameterSets | null
}

interface HeldPps {
  readonly nal: Uint8Array
  readonly spsId: number
}

/** The parameter sets seen so far, by id. They are copied, or a few bytes would hold a whole piece in memory. */
export class SeenParameterSets {
  readonly #sps = new Map<number, HeldSps>()
  readonly #pps = new Map<number, HeldPps>()

  /** Returns whether it changed one that was there. @throws Fault "malformed", leaving what was there. */
  addSps(nal: Uint8Array): boolean {
    for (const held of this.#sps.values()) if (same(held.nal, nal)) return false
    const picture = parseSps(nal)
    const changed = this.#sps.has(picture.id)
    this.#sps.set(picture.id, { nal: Uint8Array.from(nal), picture, sets: null })
    return changed
  }

  /** @throws Fault "malformed", leaving what was there. */
  addPps(nal: Uint8Array): void {
    for (const held of this.#pps.values()) if (same(held.nal, nal)) return
    const { id, spsId } = parsePpsIds(nal)
    const before = this.#pps.get(id)
    this.#pps.set(id, { nal: Uint8Array.from(nal), spsId })
    for (const changed of [before?.spsId, spsId]) {
      const sps = changed === undefined ? undefined : this.#sps.get(changed)
      if (sps !== undefined) sps.sets = null
    }
  }

  spsOf(ppsId: number): Sps | undefined {
    return this.#spsHeld(ppsId)?.picture
  }

  /** The sets of a picture that refers to `ppsId`; null if one of them was never seen. */
  of(ppsId: number): ParameterSets | null {
    const held = this.#spsHeld(ppsId)
    if (held === undefined) return null
    held.sets ??= {
      sps: held.nal,
      picture: held.picture,
      pps: [...this.#pps]
        .filter(([, pps]) => pps.spsId === held.picture.id)
        .sort(([a], [b]) => a - b)
        .map(([, pps]) => pps.nal),
    }
    return held.sets
  }

  #spsHeld(ppsId: number): HeldSps | undefined {
    const pps = this.#pps.get(ppsId)
    return pps === undefined ? undefined : this.#sps.get(pps.spsId)
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}
