import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { MiB } from "../../firmware/units.ts"
import { readBucket } from "../cloud/bucket.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { type Judgement, judge } from "./judge.ts"
import type { CameraResult, CamerasFinished } from "./messages.ts"
import { serverIdentities } from "./outsiders.ts"
import type { Owner } from "./pairing.ts"
import type { LoadedPlan } from "./plan.ts"
import type { RunFolder } from "./run-folder.ts"
import type { Screen } from "./screen.ts"

export interface RunTraces {
  readonly loaded: LoadedPlan
  readonly folder: RunFolder
  readonly results: readonly CamerasFinished[]
  readonly owners: readonly Owner[]
}

const SAVED_CLIPS = 5

/** Judges what a run left in its folder, with progress on `screen`, and saves its first clips there as they are opened. */
export async function judgeRun(
  { loaded, folder, results, owners }: RunTraces,
  screen: Screen,
): Promise<{ readonly judgement: Judgement; readonly savedClips: number }> {
  const { seed, cameras: asked } = loaded.plan
  screen.nextPhase()
  const bucket = await readBucket(folder.bucket)
  const saved = new ClipSaver(folder.clips, asked)
  const judgement = await judge(
    {
      seed,
      camera: (index) => loaded.camera(index),
      cameras: everyCamera(asked, results),
      owners,
      source: bucketSource(bucket),
      storedObjects: bucket.objectCount,
      serverKeys: await serverIdentities(folder.cloudKeys),
      canary: loaded.canary,
      plainPlaces: [folder.bucket, folder.camerasLog, folder.cloudLog],
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
  return { judgement, savedClips: saved.count }
}

/** Those that nothing was heard of too. */
function everyCamera(count: number, results: readonly CamerasFinished[]): readonly CameraResult[] {
  const heard = new Map(results.flatMap(({ cameras }) => cameras.map((camera) => [camera.index, camera])))
  return Array.from({ length: count }, (_, index) => {
    const silent = { device: null, connects: 0, settled: true, fault: null, complaints: [] }
    return heard.get(index) ?? { index, ...silent, clips: [], received: [], dropped: [] }
  })
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
