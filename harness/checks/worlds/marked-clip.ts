import { AccessUnitParser, type DecodableUnit } from "../../../firmware/media/annexb.ts"
import { Muxer } from "../../../firmware/media/muxer.ts"
import { loadScene, type SceneName } from "../../../simulator/footage.ts"

/** What a camera hides in front of each key frame of these clips, and a copy must not have. */
export const CANARY = "canary-of-the-original-clip"

/** Groups of pictures of a scene as one clip, as a camera makes them: an SEI with the canary before each key frame. */
export async function clipOf(scene: SceneName, from = 0, groups = 3): Promise<Uint8Array> {
  const footage = await loadScene(scene)
  const parser = new AccessUnitParser({ framesPerSecond: footage.framesPerSecond, onFlaw: () => undefined })
  const chosen = footage.groups.slice(from, from + groups)
  const units = [...chosen.flatMap(({ bytes }) => parser.push({ bytes, at: 0 })), ...parser.flush()]
  const ticks = Math.round(90_000 / footage.framesPerSecond)
  const timed = units.map((unit, n) => ({ ...marked(unit), dts: n * ticks, pts: n * ticks }))
  const [first] = timed
  if (!first) throw new Error(`${scene} has no groups from ${from}`)
  const half = timed.findIndex(({ keyFrame }, n) => keyFrame && n > 0)
  const muxer = new Muxer(first, (bytes) => bytes + 100_000)
  const cut = half > 0 ? half : timed.length
  const pieces = [muxer.segment(timed.slice(0, cut), cut * ticks, half < 0)]
  if (half > 0) pieces.push(muxer.segment(timed.slice(half), null, true))
  return Buffer.concat(pieces.map(({ bytes }) => bytes))
}

function marked(unit: DecodableUnit): DecodableUnit {
  if (!unit.keyFrame) return unit
  // user_data_unregistered (ITU-T H.264 annex D.1.7): a UUID, then what one likes
  const payload = Buffer.concat([Buffer.alloc(16, 7), Buffer.from(CANARY)])
  const sei = Buffer.concat([Buffer.from([6, 5, payload.length]), payload, Buffer.from([0x80])])
  return { ...unit, nals: [[sei], ...unit.nals] }
}
