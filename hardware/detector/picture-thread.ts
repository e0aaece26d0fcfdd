import type { Frame } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { loadAv } from "./av.ts"
import { decodeOne } from "./one-picture.ts"
import { serveThread } from "./thread-messages.ts"

/** The thread that decodes: key frames to small pictures. */

export interface KeyFrame {
  readonly bytes: Uint8Array
  readonly at: Milliseconds
}

serveThread<null, null, KeyFrame, Frame>(async () => {
  const av = await loadAv()
  const answer = async ({ bytes, at }: KeyFrame) => {
    const frame = decodeOne(av, "H264", bytes, at)
    const { luma, chroma } = frame
    const planes = chroma ? [luma, chroma.blue, chroma.red] : [luma]
    return { answer: frame, transfer: planes.map((plane) => plane.buffer as ArrayBuffer) }
  }
  return { facts: null, answer }
})
