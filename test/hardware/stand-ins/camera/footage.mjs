import { readFileSync } from "node:fs"

/** The access units of an Annex B file that begins with parameter sets: Buffers that, joined, are the file. */
export function unitsIn(path) {
  const bytes = readFileSync(path)
  const starts = []
  let coded = true
  for (let code = bytes.indexOf("\0\0\x01"); code >= 0; code = bytes.indexOf("\0\0\x01", code + 3)) {
    const type = bytes[code + 3] & 31
    const isSlice = type === 1 || type === 5
    const isFirstSlice = isSlice && (bytes[code + 4] & 0x80) !== 0
    if (coded && (isFirstSlice || (type >= 6 && type <= 9))) {
      starts.push(code > 0 && bytes[code - 1] === 0 ? code - 1 : code)
      coded = false
    }
    if (isSlice) coded = true
  }
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1]))
}

/** Where the parameter sets in front of `unit` end: 0 where there are none. */
export function headersEnd(unit) {
  const slice = unit.indexOf("\0\0\x01\x65") // a key frame's
  return slice > 0 && unit[slice - 1] === 0 ? slice - 1 : Math.max(0, slice)
}
