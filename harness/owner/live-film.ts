import { Fault } from "../../firmware/errors.ts"
import type { DecodableUnit } from "../../firmware/media/annexb.ts"
import { Muxer } from "../../firmware/media/muxer.ts"

/**
 * Pictures as they come, as one fragmented MP4: each picture is a fragment of its own as soon as the next is here, so a
 * player is one picture behind. Pictures that come again after a new look are left out; where some are missing, the one
 * before stands longer.
 *
 * @throws Fault "unsupported", definite: the camera's picture changed its size or coding; one file holds one.
 */
export async function* filmOf(
  pictures: AsyncIterable<DecodableUnit>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let film: { readonly muxer: Muxer; readonly first: DecodableUnit; last: DecodableUnit } | null = null
  for await (const unit of pictures) {
    if (film === null) {
      if (unit.keyFrame) film = { muxer: new Muxer(unit, (bytes) => bytes), first: unit, last: unit }
      continue
    }
    if (unit.dts <= film.last.dts) continue
    if (!sameSets(unit, film.first))
      throw new Fault("unsupported", "live: the camera's picture has changed; start again for a new film")
    const shown: DecodableUnit = { ...film.last, sets: film.first.sets }
    yield film.muxer.segment([shown], unit.dts, false).bytes
    film.last = unit
  }
  if (film) yield film.muxer.segment([{ ...film.last, sets: film.first.sets }], null, true).bytes
}

/** After a new look they are other objects of the same bytes. */
function sameSets({ sets: a }: DecodableUnit, { sets: b }: DecodableUnit): boolean {
  if (a === b) return true
  const [ours, theirs] = [a, b].map(({ sps, pps }) => [sps, ...pps].map((set) => Buffer.from(set)))
  return (
    ours?.length === theirs?.length &&
    (ours?.every((set, i) => set.equals(theirs?.[i] ?? set.subarray(1))) ?? false)
  )
}
