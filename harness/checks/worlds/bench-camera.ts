import { randomBytes } from "node:crypto"
import { parseConfig } from "../../../firmware/config.ts"
import { type Identity, openIdentity } from "../../../firmware/control/identity.ts"
import type { Entry } from "../../../firmware/control/protocol.ts"
import { openSpool } from "../../../firmware/delivery/open-spool.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { type SealedObject, sealFor } from "../../../firmware/delivery/sealer.ts"
import type { Spool } from "../../../firmware/delivery/spool.ts"
import type { LogLine } from "../../../firmware/log.ts"
import type { Clock, Disk } from "../../../firmware/ports.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { MemoryDisk } from "../../../simulator/disk.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { newHouseholdIdentity } from "../../owner/age-identity.ts"

/** The parts of a camera behind the sealer, on a disk in memory: enough to hold, release and lose things. */
export interface BenchCamera {
  readonly clock: Clock
  readonly disk: MemoryDisk
  readonly log: { readonly lines: LogLine[]; write(line: LogLine): void }
  readonly identity: Identity
  readonly household: { readonly secretText: string; readonly recipientText: string }
  /** A sealed segment of `size` plaintext bytes. */
  segment(clip: string, index: number, last?: boolean, size?: number): Promise<SealedObject>
  /** One that comes while its clip goes on, after `segments` segments. */
  thumbnail(clip: string, segments: number): Promise<SealedObject>
  /** `open` may be a mutant's. */
  boot(options?: object, open?: typeof openSpool): Promise<Spool>
}

export async function benchCamera(disk?: MemoryDisk): Promise<BenchCamera> {
  const clock = virtualClock()
  const memory = disk ?? new MemoryDisk({ clock, random: seededRandom(1) })
  const identity = await openIdentity(memory)
  const household = await newHouseholdIdentity("x25519")
  const recipients = { epoch: 1, hash: "ab".repeat(32), recipient: parseRecipient(household.recipientText) }
  const seal = sealFor(() => recipients)
  const lines: LogLine[] = []
  const log = { lines, write: (line: LogLine) => lines.push(line) }
  return {
    clock,
    disk: memory,
    log,
    identity,
    household,
    segment: (clip, index, last = false, size = 4_000) =>
      seal({ kind: "segment", clip, index, last, bytes: randomBytes(size) }),
    thumbnail: (clip, segments) =>
      seal({ kind: "thumbnail", clip, index: segments, last: false, bytes: randomBytes(4_000) }),
    boot: (options = {}, open = openSpool) =>
      open(
        { disk: memory, clock, log },
        parseConfig({ spool: { keepReceivedBytes: 0, ...options } }).spool,
        identity,
      ),
  }
}

export const newClip = (): string => randomBytes(16).toString("hex")

/** Every entry that the manifests on `disk` list, in sequence order, as the camera itself would read them. */
export async function entriesOn(
  disk: Disk,
): Promise<readonly (Entry & { sequence: number; previous: string })[]> {
  const entries: (Entry & { sequence: number; previous: string })[] = []
  for (const { name } of await disk.list("manifest.")) {
    const envelope = JSON.parse(Buffer.from((await disk.get(name)) ?? []).toString())
    const manifest = JSON.parse(Buffer.from(envelope.payload, "base64").toString())
    for (const [position, entry] of manifest.entries.entries())
      entries.push({ ...entry, sequence: manifest.sequence + position, previous: manifest.previous })
  }
  return entries
}
