import jsQR from "jsqr"
import { parseSetupText } from "../../firmware/control/pairing.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Frame } from "../../firmware/ports.ts"

/**
 * The first setup text that is held before the lens as a QR code, dark on light or light on dark; null: the frames ended
 * or `signal` aborted before. Any other QR code is passed over. The text is a secret: nothing of it is logged or kept.
 */
export async function readSetupTextFrom(
  frames: AsyncIterable<Frame>,
  signal: AbortSignal,
): Promise<string | null> {
  let pixels = new Uint8ClampedArray()
  try {
    for await (const frame of frames) {
      if (signal.aborted) return null
      if (pixels.length !== frame.luma.length * 4) pixels = new Uint8ClampedArray(frame.luma.length * 4)
      spread(frame.luma, pixels)
      const found = jsQR.default(pixels, frame.width, frame.height)
      if (found !== null && isSetupText(found.data)) return found.data
    }
    return null
  } finally {
    pixels.fill(0)
  }
}

/** Grey to RGBA, which is what jsQR reads. */
function spread(luma: Uint8Array, pixels: Uint8ClampedArray): void {
  for (let i = 0; i < luma.length; i++) {
    const grey = luma[i] ?? 0
    pixels[4 * i] = grey
    pixels[4 * i + 1] = grey
    pixels[4 * i + 2] = grey
    pixels[4 * i + 3] = 255
  }
}

function isSetupText(text: string): boolean {
  try {
    parseSetupText(text)
    return true
  } catch (error) {
    if (isFault(error, "usage")) return false
    throw error
  }
}
