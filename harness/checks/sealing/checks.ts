import "../../virtual/install.ts"

import { Decrypter } from "age-encryption"
import { parseConfig } from "../../../firmware/config.ts"
import { ClipWriter } from "../../../firmware/delivery/clip-writer.ts"
import { isFault } from "../../../firmware/errors.ts"
import { parseHeader } from "../../owner/age-header.ts"
import { readFmp4 } from "../../owner/fmp4.ts"
import { OwnerKeys } from "../../owner/keys.ts"
import { identityFromSeed, opens } from "../../virtual/opening.ts"
import { type Run, Tries } from "../check.ts"
import { type BenchCamera, benchCamera, entriesOn, newClip } from "../worlds/bench-camera.ts"
import { oneVisit } from "../worlds/recorded.ts"

export const checks = {
  "stock-age": async () => {
    const tries = new Tries()
    const { camera, objects } = await oneVisit()
    const film: Uint8Array[] = []
    for (const { kind, index, bytes } of objects) {
      const opened = await stockAge(bytes, camera.owner.householdSecret)
      tries.holds(opened !== null, `stock age does not open ${kind} ${index}`)
      if (opened !== null && kind === "segment") film.push(opened)
    }
    for (const [index, segment] of film.entries())
      tries.is(boxesOf(segment), index === 0 ? "ftyp moov moof mdat" : "moof mdat", `segment ${index}`)
    tries.holds(plays(Buffer.concat(film)), "the segments joined do not play")
    return tries
  },

  "owner-only": async () => {
    const tries = new Tries()
    const { camera, objects } = await oneVisit()
    const others = [(await OwnerKeys.create()).identity, ...camera.cloud.seeds.map(identityFromSeed)]
    for (const { kind, index, bytes } of objects) {
      tries.is(parseHeader(bytes)?.stanzas.length, 1, `stanzas of ${kind} ${index}`)
      tries.holds(await opens(bytes, camera.owner.identity), `the owner does not open ${kind} ${index}`)
      for (const other of others)
        tries.holds(!(await opens(bytes, other)), `a stranger opens ${kind} ${index}`)
    }
    return tries
  },

  "fresh-file-key": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    const seen = new Set<string>()
    for (let index = 0; index < 20; index++) {
      const { facts, parts } = await camera.segment(newClip(), 0)
      const nonce = Buffer.from(parts[1] ?? [])
        .subarray(0, 16)
        .toString("hex")
      for (const what of [facts.commit, facts.headerHash, facts.id, nonce]) {
        tries.holds(!seen.has(what), "a file key, a header, an id or a nonce for the second time")
        seen.add(what)
      }
    }
    return tries
  },

  "held-until-verdict": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    for (const keep of [false, true, false]) {
      const before = (await entriesOn(camera.disk)).length
      const clip = await clipOn(camera)
      await clip.addSegment(SEGMENT)
      tries.is((await entriesOn(camera.disk)).length, before, "entries before the verdict")
      await clip.decide({ keep, label: null, by: "vote" })
      const entries = await entriesOn(camera.disk)
      tries.is(
        entries.length,
        before + (keep ? 1 : 0),
        `entries after a verdict ${keep ? "to keep" : "to discard"}`,
      )
      tries.is(
        entries.map(({ sequence }) => sequence),
        entries.map((_, at) => at),
        "sequences",
      )
    }
    tries.is((await camera.disk.list("object.")).length, 1, "payloads on the disk")
    return tries
  },

  "discarded-from-its-end": async () => {
    const tries = new Tries()
    for (const removed of [1, 2]) {
      const camera = await benchCamera()
      const spool = await camera.boot()
      const segments = await Promise.all([0, 1, 2].map((index) => camera.segment("ab".repeat(16), index)))
      for (const segment of segments) await spool.hold(segment)
      const remove = camera.disk.remove.bind(camera.disk)
      let left = removed
      camera.disk.remove = async (name) => {
        if (left-- > 0) await remove(name) // then the power goes
      }
      await spool.discard(segments.map(({ facts }) => facts.id))
      camera.disk.remove = remove
      await camera.boot()
      const told = (await entriesOn(camera.disk)).map((entry) =>
        entry.kind === "segment" ? entry.index : entry.kind === "cut" ? `cut at ${entry.segments}` : "?",
      )
      const wanted = removed === 1 ? [0, 1, "cut at 2"] : [0, "cut at 1"]
      tries.is(told, wanted, `told by the next boot, with ${removed} of 3 removed`)
    }
    return tries
  },

  "power-cut": async () => {
    const tries = new Tries()
    const camera = await benchCamera()
    const spool = await camera.boot()
    const clip = newClip()
    for (let index = 0; index < 3; index++) await spool.hold(await camera.segment(clip, index))
    const again = await camera.boot()
    const entries = await entriesOn(camera.disk)
    const segments = entries.filter(({ kind }) => kind === "segment").length
    tries.is(segments, 3, "segments listed by the next boot")
    const cuts = entries.filter((entry) => entry.kind === "cut")
    tries.is(
      cuts.map((cut) => [cut.clip === clip, cut.segments]),
      [[true, 3]],
      "cuts signed by the next boot",
    )
    tries.is(again.newest, entries.length - 1, "the chain's newest")
    await camera.boot()
    tries.is((await entriesOn(camera.disk)).length, entries.length, "entries after one more boot")
    return tries
  },

  "one-size": async () => {
    const tries = new Tries()
    const { objects } = await oneVisit()
    const sizes = new Set(objects.map(({ bytes }) => bytes.length))
    for (const { kind, index, bytes } of objects) {
      const header = parseHeader(bytes)
      tries.holds(
        header !== null && sizes.size === 1,
        `${kind} ${index} has ${bytes.length} bytes, unlike others`,
      )
    }
    return tries
  },
} satisfies Readonly<Record<string, Run>>

const SEGMENT = {
  index: 0,
  bytes: Buffer.alloc(3_000, 7),
  padding: 0,
  units: 1,
  duration: 90_000,
  last: true,
}

async function clipOn(camera: BenchCamera): Promise<ClipWriter> {
  const spool = await camera.boot()
  const seal = ({ clip, index, last }: { clip: string; index: number; last: boolean }) =>
    camera.segment(clip, index, last)
  return new ClipWriter(newClip(), { seal, spool, log: camera.log }, parseConfig())
}

/** By a tool that is not ours: typage. */
async function stockAge(bytes: Uint8Array, secret: string): Promise<Uint8Array | null> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(secret)
  return decrypter.decrypt(bytes).catch(() => null)
}

/** The types of the top boxes, padding left out. */
function boxesOf(bytes: Uint8Array): string {
  const view = Buffer.from(bytes)
  const types: string[] = []
  for (let at = 0; at + 8 <= view.length; at += Math.max(8, view.readUInt32BE(at)))
    types.push(view.toString("latin1", at + 4, at + 8))
  return types.filter((type) => type !== "free").join(" ")
}

function plays(film: Uint8Array): boolean {
  try {
    return readFmp4(film).samples.length > 50
  } catch (error) {
    if (isFault(error)) return false
    throw error
  }
}
