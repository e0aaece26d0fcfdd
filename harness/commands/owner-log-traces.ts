import { type PublicKey, sha256Hex } from "../../firmware/control/keys.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { DeletionBook } from "../owner/deletion.ts"
import { OwnerFolder } from "../owner/folder.ts"
import type { ForcedTrace } from "../owner/log.ts"
import type { RemoteLog } from "../owner/log-link.ts"
import type { LogMemory } from "../owner/log-memory.ts"
import { tracesInBeat, tracesInManifest } from "../owner/log-traces.ts"
import { homePaths } from "./options.ts"
import { type BucketOptions, openBucketOf } from "./owner-bucket.ts"

export type TraceOptions = BucketOptions

/**
 * What the log must tell of, by what the cameras and this owner have signed: for whom each seals, who has looked, to whom
 * the owner lent, what they consented to and had deleted. Read before the log, which may only have more.
 * `remote`: whence heartbeats come where there is no folder of the cloud's; null: there is.
 */
export async function tracesOf(
  cameras: readonly PublicKey[],
  options: TraceOptions,
  memory: LogMemory,
  remote: RemoteLog | null,
): Promise<readonly ForcedTrace[]> {
  const own = await Promise.all(cameras.map((camera) => ownTraces(camera.id, options, memory)))
  const heard = await Promise.all(cameras.map(async ({ id }) => (await remote?.traceOfBeat(id)) ?? []))
  if (remote && options.bucket === undefined) return [...own.flat(), ...heard.flat()]
  const { beats, bucket } = await openBucketOf(options)
  const source = bucketSource(bucket)
  const signed = await Promise.all(
    cameras.map(async (camera) => {
      const beat = beats.envelope(camera.id)
      const manifests = await source.manifests(camera.id)
      return [
        ...(beat ? tracesInBeat(beat, camera) : []),
        ...manifests.flatMap((each) => tracesInManifest(each, camera)),
      ]
    }),
  )
  return [...own.flat(), ...heard.flat(), ...signed.flat()]
}

async function ownTraces(
  device: string,
  { home }: TraceOptions,
  memory: LogMemory,
): Promise<readonly ForcedTrace[]> {
  const { owner } = homePaths(home)
  const grants = await new OwnerFolder(owner).kept("grants", device)
  const deletions = await new DeletionBook(owner).requestsOf(device)
  const traces = [
    ...grants.map((envelope) => `grant ${sha256Hex(envelope)}`),
    ...deletions.map((request) => `deletion ${request}`),
    ...(await memory.expected(device)),
  ]
  return traces.map((trace) => ({ device, trace }))
}
