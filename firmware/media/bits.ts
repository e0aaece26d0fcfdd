import { Fault } from "../errors.ts"
import type { Bytes } from "../units.ts"

/**
 * Reads the syntax elements of a NAL unit (ISO/IEC 14496-10 §7.2, §9.1), most significant bit first, in place: it steps
 * over emulation prevention (00 00 03 stands for 00 00, §7.3.1).
 */
export class BitReader {
  #nal: Uint8Array = NOTHING
  #end = 0
  /** Of the next byte to load; the header byte is skipped. */
  #next = 1
  #byte = 0
  #bitsLeft = 0
  #zeros = 0

  /** `nal` includes its header byte; no more than `bytesMax` of its bytes are looked at. */
  open(nal: Uint8Array, bytesMax: Bytes): this {
    this.#nal = nal
    this.#end = Math.min(nal.length, bytesMax)
    this.#next = 1
    this.#bitsLeft = 0
    this.#zeros = 0
    return this
  }

  /** @throws Fault "malformed" past the end. */
  flag(): boolean {
    return this.#bit() === 1
  }

  /** u(n), n at most 32. @throws Fault "malformed" */
  unsigned(bits: number): number {
    let value = 0
    for (let left = bits; left > 0; left--) value = value * 2 + this.#bit()
    return value
  }

  /** ue(v), at most `max`. @throws Fault "malformed" */
  exponential(max: number): number {
    let zeros = 0
    while (this.#bit() === 0) if (++zeros > 32) throw new Fault("malformed", "an Exp-Golomb code is too long")
    if (zeros === 0) return 0
    const value = 2 ** zeros - 1 + this.unsigned(zeros)
    if (value > max) throw new Fault("malformed", `a syntax element is ${value}, more than ${max}`)
    return value
  }

  /** se(v). @throws Fault "malformed" */
  signedExponential(): number {
    const code = this.exponential(2 ** 32 - 2)
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2
  }

  /** @throws Fault "malformed" */
  skip(bits: number): void {
    for (let left = bits; left > 0; left--) this.#bit()
  }

  #bit(): number {
    if (this.#bitsLeft === 0) this.#load()
    return (this.#byte >> --this.#bitsLeft) & 1
  }

  #load(): void {
    if (this.#zeros >= 2 && this.#nal[this.#next] === 3) {
      this.#next++
      this.#zeros = 0
    }
    const byte = this.#next < this.#end ? this.#nal[this.#next] : undefined
    if (byte === undefined) throw new Fault("malformed", "a NAL unit ends too early")
    this.#next++
    this.#zeros = byte === 0 ? this.#zeros + 1 : 0
    this.#byte = byte
    this.#bitsLeft = 8
  }
}

const NOTHING = new Uint8Array(0)
