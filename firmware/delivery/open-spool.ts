import type { ObjectFacts } from "../clip.ts"
import type { CameraConfig } from "../config.ts"
import { signerOf } from "../control/dsse.ts"
import type { Identity } from "../control/identity.ts"
import { isObjectEntry, MANIFEST_ENTRIES_MAX } from "../control/protocol.ts"
import { Fault, isFault, messageOf } from "../errors.ts"
import type { Disk, Log, StoreEntry } from "../ports.ts"
import { Chain } from "./manifest.ts"
import { readObjectFile } from "./object-file.ts"
import { type Item, newParcel, objectName, type Parcel } from "./parcel.ts"
import { Spool, type SpoolParts } from "./spool.ts"

/**
 * Reads what the last boot left. Objects in no manifest were held when the power went: they are released now, and each
 * clip that never got its last segment is said to have been cut, and where.
 *
 * @throws Fault "usage", definite: the spool belongs to another camera. Nothing is changed then.
 */
export async function openSpool(
  { disk, clock, log }: SpoolParts,
  options: CameraConfig["spool"],
  identity: Identity,
): Promise<Spool> {
  const chain = new Chain(identity)
  const objects = new Map((await disk.list("object.")).map((entry) => [entry.name, entry]))
  const received = new Set((await disk.list("received.")).map(({ name }) => name.slice("received.".length)))
  const parcels: Parcel[] = []
  for (const { name } of await disk.list("manifest.")) {
    const parcel = await readParcel({ disk, clock, log }, name, identity.device, chain, objects, received)
    if (!parcel) continue
    chain.advance(parcel.link)
    parcels.push(parcel)
  }
  const held = await readHeld(disk, [...objects.keys()], log)
  const spool = new Spool({ disk, clock, log }, options, chain, parcels, held)
  if (held.length > 0) await spool.release(held.map(({ facts }) => facts.id))
  await spool.healRecords()
  for (const { clip, segments } of openClips(parcels, held)) {
    await spool.say({ kind: "cut", clip, segments })
    log.write({ event: "clip recovered", clip, segments })
  }
  return spool
}

/** The parcel in file `name`; its object files are taken out of `objects`. null, and a log line: damaged. */
async function readParcel(
  { disk, clock, log }: SpoolParts,
  name: string,
  device: string,
  chain: Chain,
  objects: Map<string, StoreEntry>,
  received: ReadonlySet<string>,
): Promise<Parcel | null> {
  const envelope = await disk.get(name)
  if (!envelope) return null
  try {
    const link = chain.read(envelope)
    const items = link.manifest.entries.filter(isObjectEntry).map((facts): Item => {
      const file = objects.get(objectName(facts.id))
      objects.delete(objectName(facts.id))
      const { epoch, recipients } = link.manifest
      return { facts, epoch, recipients, size: file?.size ?? 0, parts: null, gone: !file }
    })
    const acknowledged = received.has(name.slice("manifest.".length))
    return { ...newParcel(link, items, clock.monotonic()), received: acknowledged }
  } catch (error) {
    const signer = signerOf(envelope)
    if (isFault(error, "usage") || (signer !== null && signer !== device))
      throw new Fault(
        "usage",
        "this spool belongs to another camera: put its disk back there, or reset this camera",
        { cause: error },
      )
    log.write({ event: "spool damaged", entry: name, reason: messageOf(error) })
    // Its numbers are used up, whichever they were: to use them again would fork the chain. The gap is the truth.
    chain.skip(Number(name.slice("manifest.".length)) + MANIFEST_ENTRIES_MAX)
    return null
  }
}

async function readHeld(disk: Disk, names: readonly string[], log: Log): Promise<readonly Item[]> {
  const items: Item[] = []
  for (const name of names) {
    try {
      const bytes = await disk.get(name)
      if (!bytes) continue
      const { facts, epoch, recipients } = readObjectFile(bytes)
      items.push({ facts, epoch, recipients, size: bytes.length, parts: null, gone: false })
    } catch (error) {
      if (!isFault(error)) throw error
      log.write({ event: "spool damaged", entry: name, reason: error.message })
      // Half an object cannot be: a put is whole or nothing. A card that has changed the bytes has lost them for good; one
      // that only cannot read them now may do so at the next boot.
      if (error.kind === "malformed" || error.kind === "tampered") await disk.remove(name)
    }
  }
  return items.sort((a, b) => a.facts.clip.localeCompare(b.facts.clip) || a.facts.index - b.facts.index)
}

/** How many segments of its clip there are for certain. Those before a thumbnail may be delivered and gone from here. */
function segmentsUpTo({ kind, index, last }: Pick<ObjectFacts, "kind" | "index" | "last">): number {
  if (kind === "segment") return index + 1
  return kind === "thumbnail" && !last ? index : 0
}

/** Clips with segments but no last one, and no word yet that they were cut. */
function openClips(
  parcels: readonly Parcel[],
  held: readonly Item[],
): readonly { readonly clip: string; readonly segments: number }[] {
  const segments = new Map<string, number>()
  const closed = new Set<string>()
  const entries = [...parcels.flatMap(({ link }) => link.manifest.entries), ...held.map(({ facts }) => facts)]
  for (const entry of entries) {
    if (entry.kind === "cut") closed.add(entry.clip)
    if (entry.kind !== "segment" && entry.kind !== "thumbnail") continue
    const known = segmentsUpTo(entry)
    if (known > 0) segments.set(entry.clip, Math.max(segments.get(entry.clip) ?? 0, known))
    if (entry.kind === "segment" && entry.last) closed.add(entry.clip)
  }
  return [...segments]
    .filter(([clip]) => !closed.has(clip))
    .map(([clip, count]) => ({ clip, segments: count }))
}
