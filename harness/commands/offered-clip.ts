import { type Command, InvalidArgumentError } from "commander"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Seconds } from "../../firmware/units.ts"
import type { Household } from "../owner/household.ts"
import type { Vault, VaultClip } from "../owner/vault.ts"
import type { Consent } from "../services/labelling/consent.ts"
import { type Area, parseArea, preparedFilm } from "../services/offering/edited-film.ts"
import type { FilmCopy } from "../services/offering/film-copy.ts"
import { parsedBy } from "./options.ts"
import { look, type VaultOptions } from "./owner-vault.ts"

/** What of a clip leaves, and how it is changed first. */
export interface CopyOptions {
  readonly from?: Seconds
  readonly to?: Seconds
  readonly crop?: Area
  readonly blur?: readonly Area[]
  readonly whole?: boolean
}

export const COPY_HELP = `
What leaves is a new object: one film of the pictures that you choose, without what the camera wrote beside them, sealed
with another key under another id, and filled up to a power of two. --from and --to leave out whole stretches and need
nothing; --crop and --blur change each picture, which takes ffmpeg on this machine. What was given away can be copied.`

export function withCopyOptions(command: Command): Command {
  return command
    .option("--from <s>", "from the first key frame at or after this second", seconds)
    .option("--to <s>", "up to this second", seconds)
    .option("--crop <x,y,w,h>", "only this part of the picture (needs ffmpeg)", parsedBy(parseArea))
    .option("--blur <x,y,w,h>", "make this part unrecognisable (needs ffmpeg); may be given again", gathered)
    .option("--whole", "all of it, as it is")
    .addHelpText("after", COPY_HELP)
}

function seconds(text: string): Seconds {
  const value = Number(text)
  if (!/^\d{1,5}(\.\d+)?$/.test(text))
    throw new InvalidArgumentError("seconds from the clip's beginning are wanted.")
  return value
}

function gathered(text: string, before: readonly Area[] = []): readonly Area[] {
  return [...before, parsedBy(parseArea)(text)]
}

/** The one clip whose id begins so. @throws Fault "usage", definite: none, or several. */
export async function ownClip(
  wanted: string,
  options: VaultOptions,
  household: Household,
): Promise<{ readonly camera: PublicKey; readonly vault: Vault; readonly clip: VaultClip }> {
  const found = (await look(options, household)).flatMap(({ key: camera, vault, view }) =>
    view.clips.filter(({ clip }) => clip.startsWith(wanted)).map((clip) => ({ camera, vault, clip })),
  )
  const [only] = found
  if (only && found.length === 1) return only
  throw new Fault(
    "usage",
    `${found.length || "no"} clips begin with ${wanted}; "obscura owner list" shows them`,
  )
}

/** @throws Fault "usage", definite: nothing was chosen; else as `preparedFilm`. */
export async function copyOf(
  vault: Vault,
  clip: VaultClip,
  { from, to, crop, blur, whole }: CopyOptions,
): Promise<{ readonly film: FilmCopy; readonly changed: Consent["changed"] }> {
  const isTrimmed = from !== undefined || to !== undefined
  const changed: Consent["changed"] = [
    ...(isTrimmed ? (["trimmed"] as const) : []),
    ...(crop ? (["cropped"] as const) : []),
    ...(blur?.length ? (["blurred"] as const) : []),
  ]
  if (changed.length === 0 && !whole)
    throw new Fault("usage", "say what of it may leave: --from and --to, --crop, --blur, or --whole")
  const stretch = { from: from ?? 0, to: to ?? Number.POSITIVE_INFINITY }
  const edit = { ...(crop ? { crop } : {}), ...(blur ? { blur } : {}) }
  return { film: await preparedFilm(await vault.openClip(clip), stretch, edit), changed }
}
