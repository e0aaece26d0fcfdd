import { sha256Hex } from "../../../firmware/control/keys.ts"
import { commitOf } from "../../../firmware/delivery/age.ts"
import type { Spool } from "../../../firmware/delivery/spool.ts"
import { KiB } from "../../../firmware/units.ts"
import { parseHeader } from "../../owner/age-header.ts"
import { identityFromText } from "../../owner/age-identity.ts"
import { readChain } from "../../owner/chain-view.ts"
import { type Run, Tries } from "../check.ts"
import { type BenchCamera, benchCamera, entriesOn, newClip } from "../worlds/bench-camera.ts"

const never = new AbortController().signal

/** What a camera says of its own objects. */
export const checks = {
  "chain-links": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    for (let boots = 0; boots < 3; boots++) {
      const spool = await camera.boot()
      for (let clips = 0; clips < 3; clips++) await recordOne(camera, spool)
    }
    const envelopes = await manifestsOn(camera)
    const { alerts, links } = readChain(envelopes, camera.identity.key)
    tries.is(alerts, [], "alerts about an honest chain")
    const entries = await entriesOn(camera.disk)
    for (const [at, { sequence, previous }] of entries.entries()) {
      tries.is(sequence, at, "sequence")
      tries.is(
        previous,
        at === 0 ? "0".repeat(64) : sha256Hex(envelopes[at - 1] ?? EMPTY),
        `what ${at} quotes`,
      )
    }
    tries.is(links.length, 9, "links that verify")
    return tries
  },

  "hashes-of-objects": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    const identity = identityFromText(camera.household.secretText)
    for (let clips = 0; clips < 5; clips++) {
      const { facts, parts } = await camera.segment(newClip(), 0)
      const file = Buffer.concat(parts)
      const header = parseHeader(file)
      const fileKey = header && (await identity.unwrap(header))
      if (!header || !fileKey) throw new Error("the household's own key does not open its object")
      const [head, payload] = [file.subarray(0, header.bytes.length), file.subarray(header.bytes.length)]
      tries.is([facts.headerBytes, facts.payloadBytes], [head.length, payload.length], "sizes")
      tries.is(facts.headerHash, sha256Hex(head), "header hash")
      tries.is(facts.payloadHash, sha256Hex(payload), "payload hash")
      tries.is(facts.commit, commitOf(fileKey), "commitment")
    }
    return tries
  },

  "adopts-own-head": async () => {
    const tries = new Tries()
    const [camera, other] = [await benchCamera(), await benchCamera()]
    for (const each of [camera, other]) {
      const spool = await each.boot()
      for (let clips = 0; clips < 3; clips++) await recordOne(each, spool)
    }
    const [own, foreign] = [await manifestsOn(camera), await manifestsOn(other)]
    // It lost its spool; a cloud tells it where its chain stands, or says that it does.
    for (const { name } of await camera.disk.list("")) await camera.disk.remove(name)
    const spool = await camera.boot()
    const altered = Buffer.from(own[2] ?? EMPTY)
    altered[200] = (altered[200] ?? 0) ^ 1
    for (const wrong of [foreign[2] ?? EMPTY, altered, Buffer.from("{}")]) {
      await tries.refused(() => spool.adopt(wrong), "a head that this camera never signed")
      tries.is(spool.newest, -1, "newest after a head that is not its own")
    }
    tries.is(await spool.adopt(own[2] ?? EMPTY), 2, "its own newest manifest, adopted as")
    tries.is(await spool.adopt(own[1] ?? EMPTY), null, "an older one, adopted as")
    await recordOne(camera, spool)
    const [next] = (await entriesOn(camera.disk)).filter(({ sequence }) => sequence > 2)
    tries.is([next?.sequence, next?.previous], [3, sha256Hex(own[2] ?? EMPTY)], "the next link")
    return tries
  },

  "drop-said": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    const spool = await camera.boot({ bytesMax: 1_000_000 })
    for (let clips = 0; clips < 3; clips++) await recordOne(camera, spool, 60 * KiB)
    const sending = await spool.next(never)
    if (!sending) throw new Error("nothing to send")
    // The network is away, and the spool fills up.
    sending.sending = true
    for (let clips = 0; clips < 30; clips++) await recordOne(camera, spool, 60 * KiB)
    sending.sending = false
    const [lost, said] = [new Set<number>(), new Set<number>()]
    for (let left = 100; left > 0 && !spool.empty; left--) {
      const parcel = await spool.next(never)
      if (!parcel) break
      const { sequence, entries } = parcel.link.manifest
      for (const [at, item] of parcel.items.entries()) if (item.gone) lost.add(sequence + at)
      for (const number of lost)
        tries.holds(said.has(number), `payload ${number} is gone, and nobody has said so`)
      await spool.received(parcel, EMPTY)
      for (const entry of entries)
        if (entry.kind === "drop") for (let at = entry.from; at <= entry.to; at++) said.add(at)
    }
    tries.holds(lost.size > 0, "nothing was dropped, so nothing was tried")
    return tries
  },
} satisfies Readonly<Record<string, Run>>

const EMPTY = new Uint8Array()

async function recordOne(camera: BenchCamera, spool: Spool, size?: number): Promise<void> {
  const object = await camera.segment(newClip(), 0, true, size)
  await spool.hold(object)
  await spool.release([object.facts.id])
}

export async function manifestsOn({ disk }: BenchCamera): Promise<readonly Uint8Array[]> {
  const envelopes: Uint8Array[] = []
  for (const { name } of await disk.list("manifest.")) envelopes.push((await disk.get(name)) ?? EMPTY)
  return envelopes
}
