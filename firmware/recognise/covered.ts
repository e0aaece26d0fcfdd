import type { DecodableUnit } from "../media/annexb.ts"
import { plainBytes, plainPicture } from "../media/plain-picture.ts"
import type { Frame } from "../ports.ts"
import type { Bytes, Milliseconds } from "../units.ts"

/**
 * The picture of a clip where there are privacy masks: a masked frame, made small enough for `bytesMax`, for the key
 * frame that the lens coded shows what is under them. Without a frame it is black.
 */
export function coveredPicture(masked: Frame | null, at: Milliseconds, bytesMax: Bytes): DecodableUnit {
  if (!masked) return plainPicture({ at, ...BLACK })
  let times = 1
  const side = (samples: number) => Math.ceil(samples / times)
  while (plainBytes(side(masked.width), side(masked.height)) > bytesMax && side(masked.width) > 16) times++
  return plainPicture(smaller(masked, times))
}

const BLACK = { width: 64, height: 36, luma: new Uint8Array(64 * 36).fill(16) }

function smaller(frame: Frame, times: number): Frame {
  if (times === 1) return frame
  const { at, width, height, luma, chroma } = frame
  const [halfWidth, halfHeight] = [Math.ceil(width / 2), Math.ceil(height / 2)]
  const size = { width: Math.ceil(width / times), height: Math.ceil(height / times) }
  const [columns, rows] = [Math.ceil(size.width / 2), Math.ceil(size.height / 2)]
  const small = (plane: Uint8Array) => means(plane, halfWidth, halfHeight, times, columns, rows)
  return {
    ...{ at, ...size, luma: means(luma, width, height, times, size.width, size.height) },
    ...(chroma && { chroma: { blue: small(chroma.blue), red: small(chroma.red) } }),
  }
}

/** Of squares of `times` pixels a side. */
function means(
  plane: Uint8Array,
  width: number,
  height: number,
  times: number,
  columns: number,
  rows: number,
): Uint8Array {
  const small = new Uint8Array(columns * rows)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let [sum, count] = [0, 0]
      for (let y = row * times; y < Math.min(height, (row + 1) * times); y++)
        for (let x = column * times; x < Math.min(width, (column + 1) * times); x++) {
          sum += plane[y * width + x] ?? 0
          count++
        }
      small[row * columns + column] = count === 0 ? 128 : Math.round(sum / count)
    }
  return small
}
