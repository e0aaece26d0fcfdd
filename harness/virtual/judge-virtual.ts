import { isFault, messageOf } from "../../firmware/errors.ts"
import type { Identity } from "../owner/age-identity.ts"
import { compareWithSource } from "../owner/compare.ts"
import { readFmp4 } from "../owner/fmp4.ts"
import type { VaultClip } from "../owner/vault.ts"
import type { Witness } from "./fleet-member.ts"
import { identityFromSeed, objectsOf, opens } from "./opening.ts"
import type { VirtualFleetRun } from "./virtual-fleet.ts"

/** Names as they stand in a report, and how each is looked for. All have limit 0. */
const INVARIANTS = {
  "cameras that did not come up": "never paired, never connected, or ended by a fault",
  "clips lost": "recorded, or safe in part when the power went, and not as long in the cloud",
  "clips doubled": "the same part of a clip listed under two ids or sequences",
  "clips unreadable": "not opened by their owner: signature, hash, commitment or tag",
  "clips that differ": "compared with their source, access unit by access unit, in bytes and in time",
  "clips opened by others": "the next household, one without a camera, and the cloud's own keys try",
  "clips that nobody recorded": "listed although no camera said that it recorded them",
  "alerts in chains of manifests": "gaps, forks, and links that are not their camera's",
  "complaints of cameras": "faults and lost pictures that they logged",
  "runs without a clip": "nothing was delivered, so nothing was shown to hold",
} as const
type Name = keyof typeof INVARIANTS

export interface VirtualJudgement {
  readonly clips: {
    recorded: number
    /** Of clips that a power cut ended: something was safe, and is delivered as cut. */
    recovered: number
    /** Begun, and gone with the power before their first segment was safe: the only ones that may be. */
    vanished: number
    delivered: number
    /** How many of the delivered were kept to be opened, and how many of those opened. */
    sampled: number
    opened: number
    lost: number
    doubled: number
    openedByOthers: number
  }
  readonly cameras: { connected: number; failed: number }
  /** Pictures compared with their source. */
  readonly pictures: number
  readonly invariants: readonly {
    readonly name: string
    readonly count: number
    readonly limit: number
    readonly detail: string
  }[]
  /** One line each, naming the camera; at most twenty. */
  readonly failures: readonly string[]
}

const FAILURES_MAX = 20
const WITHOUT_CLIP = "runs without a clip" satisfies Name

/** Looks at every clip of every camera as its owner; opens and compares those whose bytes were kept. */
export async function judgeVirtual(run: VirtualFleetRun): Promise<VirtualJudgement> {
  const { cloud, witnesses, stranger } = run
  const trial = new Trial([stranger.identity, ...cloud.seeds.map(identityFromSeed)])
  for (const [position, witness] of witnesses.entries()) {
    const next = witnesses[(position + 1) % witnesses.length]
    await trial.hear(witness, next === witness ? undefined : next)
  }
  return trial.judgement()
}

/** Of parts of one fleet. */
export function sumOfJudgements(parts: readonly VirtualJudgement[]): VirtualJudgement {
  const sum = <K extends string>(numbers: readonly Readonly<Record<K, number>>[]): Record<K, number> => {
    const [first, ...others] = numbers
    const all = { ...first } as Record<K, number>
    for (const other of others) for (const key of Object.keys(all) as K[]) all[key] += other[key]
    return all
  }
  return {
    clips: sum(parts.map(({ clips }) => clips)),
    cameras: sum(parts.map(({ cameras }) => cameras)),
    pictures: parts.reduce((all, { pictures }) => all + pictures, 0),
    failures: parts.flatMap(({ failures }) => failures).slice(0, FAILURES_MAX),
    invariants: (parts[0]?.invariants ?? []).map((invariant, position) => {
      const counts = parts.map(({ invariants }) => invariants[position]?.count ?? 0)
      // One part with a clip is a run with a clip.
      const all = invariant.name === WITHOUT_CLIP ? Math.min(...counts) : counts.reduce((a, b) => a + b)
      return { ...invariant, count: all }
    }),
  }
}

class Trial {
  /** Who tries to open every clip: besides them, the next household. */
  readonly #outsiders: readonly Identity[]
  readonly #counts = new Map<Name, number>()
  readonly #failures: string[] = []
  readonly #cameras = { connected: 0, failed: 0 }
  readonly #clips = {
    recorded: 0,
    recovered: 0,
    vanished: 0,
    delivered: 0,
    sampled: 0,
    opened: 0,
    lost: 0,
    doubled: 0,
    openedByOthers: 0,
  }
  #pictures = 0

  constructor(outsiders: readonly Identity[]) {
    this.#outsiders = outsiders
  }

  async hear(witness: Witness, next: Witness | undefined): Promise<void> {
    const { household, connects, recorded, cut, recovered, complaints } = witness
    const { index } = household
    this.#clips.recorded += recorded.size
    this.#clips.recovered += recovered.size
    const safe = new Map([...cut].filter(([, segments]) => segments > 0))
    this.#clips.vanished += [...cut.keys()].filter((clip) => !safe.has(clip) && !recovered.has(clip)).length
    if (connects > 0) this.#cameras.connected++
    for (const complaint of complaints) this.#add("complaints of cameras", `camera ${index}: ${complaint}`)
    const vault = household.vault()
    if (vault === null || connects === 0 || household.fault !== null) {
      this.#cameras.failed++
      this.#add("cameras that did not come up", `camera ${index}`)
    }
    if (vault === null) return
    const view = await vault.view()
    for (const alert of view.alerts)
      this.#add("alerts in chains of manifests", `camera ${index}: ${JSON.stringify(alert)}`)
    const missing = new Set([...recorded.keys(), ...safe.keys(), ...recovered.keys()])
    for (const clip of view.clips) {
      missing.delete(clip.clip)
      this.#weigh(witness, clip)
      await this.#open(witness, clip, next)
    }
    for (const clip of missing) this.#lose(witness, clip, "no manifest lists it")
  }

  judgement(): VirtualJudgement {
    if (this.#clips.delivered === 0) this.#add(WITHOUT_CLIP, "no clip was delivered")
    return {
      clips: this.#clips,
      cameras: this.#cameras,
      pictures: this.#pictures,
      failures: this.#failures,
      invariants: Object.entries(INVARIANTS).map(([name, detail]) => {
        return { name, count: this.#counts.get(name as Name) ?? 0, limit: 0, detail }
      }),
    }
  }

  /** Is all of it there, once? */
  #weigh(witness: Witness, clip: VaultClip): void {
    const { index } = witness.household
    const objects = objectsOf(clip)
    const parts = new Set(objects.map(({ entry }) => `${entry.kind} ${entry.index}`))
    if (parts.size < objects.length) {
      this.#clips.doubled++
      this.#add("clips doubled", `camera ${index}: clip ${clip.clip}`)
    }
    const { recorded, cut, recovered } = witness
    if (![recorded, cut, recovered].some((said) => said.has(clip.clip))) {
      this.#add("clips that nobody recorded", `camera ${index}: clip ${clip.clip}`)
      return
    }
    const short = shortfall(witness, clip)
    if (short === null) this.#clips.delivered++
    else this.#lose(witness, clip.clip, short)
  }

  async #open({ household }: Witness, clip: VaultClip, next: Witness | undefined): Promise<void> {
    const vault = household.vault()
    const objects = await Promise.all(objectsOf(clip).map(({ entry }) => household.objectBytes(entry.id)))
    const bytes = objects.filter((object) => object !== null)
    if (vault === null || bytes.length < objects.length || clip.segments.length === 0) return
    this.#clips.sampled++
    const where = `camera ${household.index}: clip ${clip.clip}`
    try {
      const film = await vault.openClip(clip)
      for (const object of [clip.thumbnail, clip.summary]) if (object) await vault.open(object)
      this.#clips.opened++
      const compared = compareWithSource(readFmp4(film), household.shot)
      if (compared.same) this.#pictures += compared.units
      else this.#add("clips that differ", `${where}: ${compared.why}`)
    } catch (error) {
      if (!isFault(error)) throw error
      this.#add("clips unreadable", `${where}: ${messageOf(error)}`)
    }
    const others = [next?.household.owner?.identity, ...this.#outsiders].filter((each) => each !== undefined)
    let opened = 0
    for (const identity of others) for (const object of bytes) if (await opens(object, identity)) opened++
    if (opened === 0) return
    this.#clips.openedByOthers++
    this.#add("clips opened by others", `${where}: ${opened} times`)
  }

  #lose({ household }: Witness, clip: string, why: string): void {
    this.#clips.lost++
    this.#add("clips lost", `camera ${household.index}: clip ${clip}: ${why}`)
  }

  #add(name: Name, what: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
    if (this.#failures.length < FAILURES_MAX) this.#failures.push(`${name}: ${what}`)
  }
}

/** What is not there of a clip that the cloud lists; null: all of it is. */
function shortfall({ recorded, cut, recovered }: Witness, clip: VaultClip): string | null {
  const [objects, safe, said] = [recorded.get(clip.clip), cut.get(clip.clip), recovered.get(clip.clip)]
  const segments = clip.segments.length
  if (!clip.whole) return `${segments} segments, not whole`
  const received = objectsOf(clip).filter(({ fate }) => fate === "received").length
  if (objects !== undefined && received !== objects) return `${received} of ${objects} objects`
  if (safe !== undefined && segments < safe) return `${segments} of ${safe} segments that were safe`
  if (said !== undefined && segments !== said) return `${segments} segments, and its camera said ${said}`
  return null
}
