import fc from "fast-check"

const HALVES = { from: 0xd800, count: 0x800 }

/** Any character of Unicode, which leaves out halves of surrogate pairs; half of them are ASCII, control characters too. */
const anyCharacter = fc
  .oneof(fc.nat(0x7f), fc.nat(0x10ffff - HALVES.count))
  .map((code) => String.fromCodePoint(code < HALVES.from ? code : code + HALVES.count))

/**
 * Text of any characters. It is fast-check's own `unit: "binary"`, which takes more than half a second to be made in each
 * process that asks for it.
 */
export function anyText(lengths: { readonly minLength?: number; readonly maxLength?: number } = {}) {
  return fc.string({ ...lengths, unit: anyCharacter })
}
