import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { MiB } from "../../firmware/units.ts"
import type { Bucket } from "../cloud/bucket.ts"
import type { S3Place } from "../cloud/s3-place.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import type { Judgement } from "./evidence.ts"
import type { FleetInsiders } from "./fleet-insiders.ts"
import { judge } from "./judge.ts"
import type { CameraResult, CamerasFinished } from "./messages.ts"
import { serverIdentities } from "./outsiders.ts"
import type { Owner } from "./pairing.ts"
import type { LoadedPlan } from "./plan.ts"
import type { PrivacyFindings } from "./privacy-shape.ts"
import { readRunBucket } from "./ready-target.ts"
import { camerasLogs, type RunFolder } from "./run-folder.ts"
import type { Screen } from "./screen.ts"
import { struckBy } from "./struck.ts"

export interface RunTraces {
  readonly loaded: LoadedPlan
  readonly folder: RunFolder
  readonly results: readonly CamerasFinished[]
  readonly owners: readonly Owner[]
  /** Where the bucket is, if not in the folder. */
  readonly place: S3Place | null
  /** null: nobody tried. */
  readonly insiders: FleetInsiders | null
}

export interface Judged {
  readonly judgement: Judgement
  readonly savedClips: number
  readonly privacy: PrivacyFindings | null
}

const SAVED_CLIPS = 5

/** Judges what a run left in its folder, with progress on `screen`, and saves its first clips there as they are opened. */
export async function judgeRun(
  { loaded, folder, results, owners, place, insiders }: RunTraces,
  screen: Screen,
): Promise<Judged> {
  const { seed, scenario, from, to } = loaded.plan
  const asked = to - from
  screen.nextPhase()
  const { bucket, everything, close } = await readRunBucket(folder.bucket, place)
  const saved = new ClipSaver(folder.clips, asked)
  const judgement = await judge(
    {
      seed,
      camera: (index) => loaded.camera(index),
      cameras: everyCamera(from, to, results),
      owners,
      source: bucketSource(bucket),
      storedObjects: bucket.objectCount - objectsOf(bucket, insiders?.devices ?? []),
      serverKeys: await serverIdentities(folder.cloudKeys),
      canary: loaded.canary,
      plainPlaces: [folder.bucket, ...camerasLogs(folder, results.length), folder.cloudLog],
      plainThings: everything,
      struck: struckBy(loaded.strikes),
      strangersLetIn: results.reduce((sum, result) => sum + result.strangersLetIn, 0),
      limits: scenario.limits,
    },
    {
      onOpened: (index, clip, film) => saved.save(index, clip, film),
      onProgress: (cameras, bytes) => {
        const line = `judging ${cameras} of ${asked} cameras, ${(bytes / MiB).toFixed(0)} MiB opened`
        screen.show([`  ${line}`], line)
      },
    },
  )
  screen.nextPhase()
  const privacy = (await insiders?.judge(bucket)) ?? null
  await close()
  return { judgement, savedClips: saved.count, privacy }
}

function objectsOf(bucket: Bucket, devices: readonly string[]): number {
  return devices.reduce((sum, device) => sum + [...bucket.objectsOf(device)].length, 0)
}

/** Those that nothing was heard of too. */
function everyCamera(from: number, to: number, results: readonly CamerasFinished[]): readonly CameraResult[] {
  const heard = new Map(results.flatMap(({ cameras }) => cameras.map((camera) => [camera.index, camera])))
  return Array.from({ length: to - from }, (_, i) => heard.get(from + i) ?? silent(from + i))
}

function silent(index: number): CameraResult {
  return {
    ...{ index, device: null, connects: 0, connected: false, settled: true, fault: null },
    ...{
      complaints: [],
      moreComplaints: 0,
      clips: [],
      received: [],
      dropped: [],
      missedGroups: [],
      tornGroups: [],
      receiptP95Ms: null,
    },
    ...{ visits: 0, missedVisits: 0, disconnects: 0, refusedUploads: 0 },
  }
}

/** Keeps the first clips that were opened, of as many cameras as there are. */
class ClipSaver {
  count = 0
  readonly #directory: string
  readonly #each: number
  readonly #saved = new Map<number, number>()

  constructor(directory: string, cameras: number) {
    this.#directory = directory
    this.#each = Math.ceil(SAVED_CLIPS / cameras)
  }

  async save(index: number, clip: string, film: Uint8Array): Promise<void> {
    const before = this.#saved.get(index) ?? 0
    if (this.count >= SAVED_CLIPS || before >= this.#each) return
    this.count++
    this.#saved.set(index, before + 1)
    const name = `camera-${index}-${clip.slice(0, 8)}.mp4`
    await writeFile(join(this.#directory, name), film, { mode: 0o600 })
  }
}
