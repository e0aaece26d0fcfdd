import { isFault } from "../../firmware/errors.ts"
import type { Bytes, UnixMilliseconds } from "../../firmware/units.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { summaryOf, Vault, type VaultClip } from "../owner/vault.ts"
import { bitsIn, type Example, guessedRight, mostCommonShare } from "./guesses.ts"
import type { World } from "./world.ts"

/** What insiders learn all the same, measured on this run. */
export interface Leak {
  readonly what: string
  readonly value: number
  readonly unit: string
  /** What one would have without looking; null: nothing to compare with. */
  readonly against: number | null
  readonly samples: number
}

/** Mailboxes that are looked at: enough for a share in per cent. */
const MAILBOXES_MAX = 60

/** A clip as whoever has the bucket sees it. */
interface SeenClip {
  readonly device: string
  readonly arrived: UnixMilliseconds
  readonly sizes: readonly Bytes[]
  /** Known to its owner alone, and to the judge. */
  readonly label: string
}

/**
 * The honest other side of the checks: sizes, rhythm, times and addresses are not hidden. A classifier sees what the cloud
 * sees of each clip (how many segments, how many bytes, how long after the one before it) and guesses what the owner's own
 * summary says was there; what it gets right is held against always guessing the most common.
 */
export async function measureLeakage(world: World): Promise<readonly Leak[]> {
  const clips = await seenClips(world)
  const sizes = clips.flatMap((clip) => clip.sizes)
  const examples = examplesOf(clips)
  const devices = new Set(clips.map(({ device }) => device))
  return [
    {
      what: "the size of a sealed segment, of all sizes that occur: at most so much tells one from another",
      ...{ value: rounded(bitsIn(sizes)), unit: "bits a segment", against: null, samples: sizes.length },
    },
    {
      what: "what came by, guessed from number, size and rhythm of segments; against always saying the most common",
      ...{
        value: rounded(guessedRight(examples)),
        unit: "right",
        against: rounded(mostCommonShare(examples)),
      },
      samples: examples.length,
    },
    {
      what: "clips of which the cloud knows when they arrived, to the millisecond",
      ...{ value: clips.length, unit: "clips", against: null, samples: clips.length },
    },
    {
      what: "cameras whose number of clips, and so whether anything happened there, the cloud can count",
      ...{ value: devices.size, unit: "cameras", against: null, samples: devices.size },
    },
    {
      what: "addresses from which all cameras and owners of this run came: who shares one may share a home",
      ...{ value: 1, unit: "address", against: null, samples: world.homes.length + world.others.length },
    },
  ]
}

async function seenClips({ holdings, homes, others }: World): Promise<readonly SeenClip[]> {
  const bucket = await holdings.readBucket()
  const seen: SeenClip[] = []
  for (const { camera, keys } of [...others, ...homes].slice(0, MAILBOXES_MAX)) {
    const vault = new Vault(bucketSource(bucket), camera, keys.identity)
    const { clips } = await vault.view()
    for (const clip of clips) {
      const stored = clip.segments
        .map(({ entry }) => bucket.object(entry.id))
        .filter((object) => object !== null)
      const label = await labelOf(vault, clip)
      const [first] = stored
      if (first === undefined || label === null) continue
      seen.push({
        ...{ device: camera.id, arrived: first.arrived, label },
        sizes: stored.map(({ payloadBytes }) => payloadBytes),
      })
    }
  }
  return seen
}

/** null: not to be had, as where a key was changed since. */
async function labelOf(vault: Vault, { summary }: VaultClip): Promise<string | null> {
  if (summary?.fate !== "received") return null
  try {
    const { label, trigger } = await summaryOf(vault, summary)
    return label ?? trigger
  } catch (error) {
    if (!isFault(error)) throw error
    return null
  }
}

function examplesOf(clips: readonly SeenClip[]): readonly Example[] {
  const byTime = [...clips].sort((a, b) => a.arrived - b.arrived)
  const before = new Map<string, UnixMilliseconds>()
  return byTime.map(({ device, arrived, sizes, label }) => {
    const since = arrived - (before.get(device) ?? arrived)
    before.set(device, arrived)
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    return { features: [sizes.length, bytes, since, Math.max(0, ...sizes)], label }
  })
}

function rounded(value: number): number {
  return Number(value.toFixed(3))
}
