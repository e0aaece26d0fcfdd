import { Fault } from "../../firmware/errors.ts"
import type { DecodableUnit } from "../../firmware/media/annexb.ts"
import { seconds } from "../../firmware/units.ts"
import { filmOf } from "../owner/live-film.ts"
import { LiveWatch, type WatchParts } from "../owner/live-watch.ts"
import { fileSink, NO_SINK, playerSink, type Sink } from "./live-sink.ts"
import type { Contact } from "./owner-contact.ts"
import { patience } from "./patience.ts"

export const LOOK_SECONDS_MAX = 86_400

/** Who looks at which camera, and by what. */
export type Whose = Pick<WatchParts, "camera" | "viewer" | "role" | "grant">

export interface ShowOptions {
  readonly play?: boolean
  readonly out?: string
}

/** @throws Fault "usage", definite: no player, or a file that cannot be written. */
export function sinkFor({ play, out }: ShowOptions): Promise<Sink> | Sink {
  if (play) return playerSink()
  return out === undefined ? NO_SINK : fileSink(out)
}

/** Looks, until stopped, until nobody takes it any more, or for so many seconds. @throws as `LiveWatch.pictures`. */
export async function showLive(
  whose: Whose,
  { broker, parts, config, signal }: Contact,
  sink: Sink,
  forSeconds = LOOK_SECONDS_MAX,
): Promise<void> {
  const watch = new LiveWatch({ ...whose, broker, link: parts, config })
  let pictures = 0
  const over = new AbortController()
  const end = () => over.abort()
  for (const each of [signal, sink.closed]) each.addEventListener("abort", end, { once: true })
  const until = patience(over.signal, seconds(forSeconds))
  const units = async function* (): AsyncGenerator<DecodableUnit> {
    for await (const { unit } of watch.pictures(until)) {
      if (pictures++ === 0) console.error(`live: camera ${whose.camera.id}; its light is on`)
      yield unit
    }
  }
  for await (const bytes of filmOf(units())) await sink.write(bytes)
  console.error(`live: ${pictures} pictures, ${watch.lost} lost on the way`)
  if (pictures === 0) throw new Fault("unavailable", "live: no picture came")
}
