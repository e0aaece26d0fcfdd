import type * as AvConstants from "node-av/constants"
import type * as AvLibrary from "node-av/lib"
import { Fault } from "../../firmware/errors.ts"

/** FFmpeg's libraries by the npm package node-av, which brings them for each platform. It is optional. */
export type Av = typeof AvLibrary & typeof AvConstants

let loading: Promise<Av> | null = null

/** @throws Fault "unsupported", definite, with what to install. */
export function loadAv(): Promise<Av> {
  loading ??= load()
  return loading
}

async function load(): Promise<Av> {
  try {
    const [library, constants] = await Promise.all([import("node-av/lib"), import("node-av/constants")])
    // Its words would go to standard error, in the middle of ours.
    library.Log.setLevel(constants.AV_LOG_QUIET)
    return { ...library, ...constants }
  } catch (cause) {
    throw new Fault("unsupported", "pictures cannot be decoded: the npm package node-av is not installed", {
      cause,
    })
  }
}
