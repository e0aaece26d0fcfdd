import { unpadJson } from "../../firmware/delivery/padding.ts"
import { isFault, messageOf } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"
import type { FleetCamera } from "../../simulator/fleet.ts"
import { type Gaps, noGaps } from "../../simulator/shot.ts"
import { compareWithSource, type Span } from "../owner/compare.ts"
import { readFmp4 } from "../owner/fmp4.ts"
import type { ObjectSource, Vault, VaultClip, VaultObject } from "../owner/vault.ts"

/** What the judge found of one clip that is in the cloud. */
export interface ClipFindings {
  /** All its objects opened as their owner; null: why not. */
  readonly opened: { readonly film: Uint8Array } | null
  readonly unreadable: string | null
  readonly differs: string | null
  /** What it shows; null where it differs or does not open. */
  readonly span: Span | null
  readonly units: number
}

/** Opens one clip as its owner, and compares what is in it with what its camera saw. */
export async function judgeClip(
  clip: VaultClip,
  vault: Vault,
  camera: FleetCamera,
  gaps: Gaps = noGaps,
): Promise<ClipFindings> {
  let film: Uint8Array
  let thumbnail: Uint8Array | null
  let summary: Uint8Array | null
  try {
    film = await vault.openClip(clip)
    thumbnail = clip.thumbnail && (await vault.open(clip.thumbnail))
    summary = clip.summary && (await vault.open(clip.summary))
  } catch (error) {
    if (!isFault(error)) throw error
    return { opened: null, unreadable: error.message, differs: null, span: null, units: 0 }
  }
  const compared = compareFilm(film, camera, gaps)
  // A clip that was cut has what was ready when it was.
  const mayLack = clip.cut || !clip.whole
  const differs =
    (typeof compared === "string" ? compared : null) ??
    (mayLack && thumbnail === null ? null : thumbnailDifference(thumbnail, camera)) ??
    (mayLack && summary === null ? null : summaryDifference(summary, clip))
  const same = typeof compared === "string" ? { span: null, units: 0 } : compared
  return { opened: { film }, unreadable: null, differs, span: same.span, units: same.units }
}

export function objectsOf({ segments, thumbnail, summary }: VaultClip): readonly VaultObject[] {
  return [...segments, thumbnail, summary].filter((object) => object !== null)
}

/** A source that remembers what it read, for a clip is opened by its owner and then tried by many others. */
export class RememberingSource implements ObjectSource {
  readonly #source: ObjectSource
  readonly #objects = new Map<string, Uint8Array | null>()

  constructor(source: ObjectSource) {
    this.#source = source
  }

  async object(id: string): Promise<Uint8Array | null> {
    const known = this.#objects.get(id)
    if (known !== undefined) return known
    const bytes = await this.#source.object(id)
    this.#objects.set(id, bytes)
    return bytes
  }

  manifests = (device: string): Promise<readonly Uint8Array[]> => this.#source.manifests(device)
  has = (id: string): Promise<boolean> => this.#source.has(id)
  receipted = (device: string): Promise<ReadonlySet<string>> => this.#source.receipted(device)

  /** What was read since the last time. */
  forget(): readonly Uint8Array[] {
    const objects = [...this.#objects.values()].filter((bytes) => bytes !== null)
    this.#objects.clear()
    return objects
  }
}

export function sealedBytes(objects: readonly VaultObject[]): Bytes {
  return objects.reduce((sum, { entry }) => sum + entry.headerBytes + entry.payloadBytes, 0)
}

function compareFilm(film: Uint8Array, camera: FleetCamera, gaps: Gaps = noGaps) {
  try {
    const compared = compareWithSource(readFmp4(film), camera, gaps)
    return compared.same ? compared : compared.why
  } catch (error) {
    if (!isFault(error, "malformed")) throw error
    return error.message
  }
}

/** One of the camera's key frames, whole. */
function thumbnailDifference(bytes: Uint8Array | null, camera: FleetCamera): string | null {
  if (!bytes) return "it has no thumbnail"
  const compared = compareFilm(bytes, camera)
  if (typeof compared === "string") return `its thumbnail: ${compared}`
  return compared.units === 1 ? null : "its thumbnail is no single picture"
}

function summaryDifference(bytes: Uint8Array | null, clip: VaultClip): string | null {
  if (!bytes) return "it has no summary"
  try {
    const summary: unknown = JSON.parse(Buffer.from(unpadJson(bytes)).toString("utf8"))
    const same =
      typeof summary === "object" &&
      summary !== null &&
      "clip" in summary &&
      summary.clip === clip.clip &&
      "segments" in summary &&
      summary.segments === clip.segments.length
    return same ? null : "its summary tells of another clip"
  } catch (error) {
    return `its summary is no JSON: ${messageOf(error)}`
  }
}
