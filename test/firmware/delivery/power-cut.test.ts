import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { openSpool } from "../../../firmware/delivery/open-spool.ts"
import { objectName, sequenceOf } from "../../../firmware/delivery/parcel.ts"
import type { Spool } from "../../../firmware/delivery/spool.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import { KiB, minutes } from "../../../firmware/units.ts"
import { readChain } from "../../../harness/owner/chain-view.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { MemoryDisk } from "../../../simulator/disk.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { mutant } from "../../mutants.ts"
import { type BenchCamera, benchCamera, newClip } from "./bench-camera.ts"

type Open = typeof openSpool
const OPEN = "firmware/delivery/open-spool.ts"
const SHELF = "firmware/delivery/shelf.ts"
/** So that folding, which comes after hundreds of drops, happens in every run. */
const FOLDS_EARLY = { path: SHELF, from: "RECORDS_MAX = 512", to: "RECORDS_MAX = 3" }

/** When the power goes: with which write from now on, and whether that one still got through. */
interface Cut {
  readonly write: number
  readonly kept: boolean
}

/** A camera whose power can go with any write, and what the world outside has seen of it. */
class Victim {
  readonly camera: BenchCamera
  readonly #open: Open | undefined
  readonly #put: MemoryDisk["put"]
  readonly #remove: MemoryDisk["remove"]
  #spool: Spool | null = null
  #cut: Cut | null = null
  #writes = 0
  /** Manifests that the cloud has receipted. */
  readonly cloud: Uint8Array[] = []
  readonly delivered = new Set<string>()
  /** Held, and on the disk when the camera was told that they are safe. */
  readonly safe = new Set<string>()
  readonly discarded = new Set<string>()
  /** Sequence of each object in any manifest that ever was durable. */
  readonly listed = new Map<string, number>()

  private constructor(camera: BenchCamera, open?: Open) {
    this.camera = camera
    this.#open = open
    const { disk } = camera
    this.#put = disk.put.bind(disk)
    this.#remove = disk.remove.bind(disk)
    disk.put = (name, parts) =>
      this.#write(async () => {
        await this.#put(name, parts)
        if (name.startsWith("manifest.")) this.#note(Buffer.concat(parts))
      })
    disk.remove = (name) => this.#write(() => this.#remove(name))
  }

  static async start(open?: Open, disk?: MemoryDisk): Promise<Victim> {
    const victim = new Victim(await benchCamera(disk), open)
    await victim.boot()
    return victim
  }

  get spool(): Spool {
    if (!this.#spool) throw new Error("not booted")
    return this.#spool
  }

  async boot(): Promise<void> {
    this.#cut = null
    this.#spool = await this.camera.boot({ bytesMax: 256 * KiB }, this.#open)
  }

  /** Does `operation`, during which the power may go; then the camera boots, and the power goes with no write of that. */
  async during(cut: Cut | null, operation: () => Promise<void>): Promise<void> {
    this.#cut = cut
    this.#writes = 0
    try {
      await operation()
    } catch (error) {
      if (!isFault(error, "unavailable")) throw error
    }
    if (cut) await this.boot()
  }

  async hold(clip: string, index: number, last: boolean): Promise<string> {
    const object = await this.camera.segment(clip, index, last, 60 * KiB)
    const { id } = object.facts
    await this.spool.hold(object)
    if (this.camera.disk.holds(objectName(id))) this.safe.add(id)
    return id
  }

  async receive(): Promise<void> {
    if (this.spool.empty) return
    const parcel = await this.spool.next(AbortSignal.timeout(50))
    if (!parcel) return
    // As a cloud does: no receipt before it has each payload, or the camera's word that it will not come.
    const { drops } = readChain([...this.cloud, parcel.link.envelope], this.camera.identity.key)
    const isDropped = (sequence: number) => drops.some(({ from, to }) => from <= sequence && sequence <= to)
    if (parcel.items.some((item) => item.gone && !isDropped(sequenceOf(parcel, item)))) return
    this.cloud.push(parcel.link.envelope)
    for (const item of parcel.items.filter(({ gone }) => !gone)) this.delivered.add(item.facts.id)
    await this.spool.received(parcel, Buffer.from("receipt"))
  }

  /** Every sequence is listed or in a drop record, every object that was safe is somewhere or said to be dropped. */
  async judge(): Promise<void> {
    await this.boot()
    const { disk, identity } = this.camera
    const envelopes = [...this.cloud]
    for (const { name } of await disk.list("manifest."))
      envelopes.push((await disk.get(name)) ?? new Uint8Array())
    const view = readChain(envelopes, identity.key)
    expect(view.alerts).toEqual([])
    const unsaid = [...this.safe].filter((id) => {
      const sequence = this.listed.get(id) ?? -1
      const dropped = view.drops.some(({ from, to }) => from <= sequence && sequence <= to)
      return !this.delivered.has(id) && !disk.holds(objectName(id)) && !dropped
    })
    expect(unsaid).toEqual([])
    expect(view.objects.filter(({ entry }) => this.discarded.has(entry.id))).toEqual([])
  }

  async #write(write: () => Promise<void>): Promise<void> {
    const at = this.#writes++
    if (!this.#cut || at < this.#cut.write) return write()
    if (at === this.#cut.write && this.#cut.kept) await write()
    throw new Fault("unavailable", "disk: the power was cut", { definite: false })
  }

  #note(envelope: Uint8Array): void {
    for (const { entry, sequence } of readChain([envelope], this.camera.identity.key).objects)
      this.listed.set(entry.id, sequence)
  }
}

const operation = fc.constantFrom("record", "record", "record", "hold", "release", "discard", "receive")
const cut = fc.option(fc.record({ write: fc.nat(5), kept: fc.boolean() }), { freq: 2 })
const script = fc.array(fc.record({ operation, cut, last: fc.boolean() }), { minLength: 10, maxLength: 40 })

/** 60 KiB an object in 256 KiB: from the fifth on each drops one, and from the third drop on records are folded. */
async function survives(open: Open, numRuns = 60): Promise<void> {
  await fc.assert(
    fc.asyncProperty(script, async (steps) => {
      const victim = await Victim.start(open)
      let held: string[] = []
      for (const { operation, cut, last } of steps) {
        await victim.during(cut, async () => {
          if (operation === "record") await victim.spool.release([await victim.hold(newClip(), 0, last)])
          if (operation === "hold") held.push(await victim.hold(newClip(), 0, last))
          if (operation === "release") await victim.spool.release(held.splice(0))
          if (operation === "discard") {
            const unwanted = held.splice(0)
            for (const id of unwanted) victim.safe.delete(id)
            await victim.spool.discard(unwanted)
            for (const id of unwanted) victim.discarded.add(id)
          }
          if (operation === "receive") await victim.receive()
        })
        // The boot has released what was held.
        if (cut) held = []
      }
      await victim.judge()
    }),
    { numRuns, endOnFailure: true },
  )
}

describe("whatever a power cut interrupts", () => {
  test(
    "nothing that was safe is lost unsaid, and every number of the chain is told of",
    async () => survives((await mutant<{ openSpool: Open }>(OPEN, FOLDS_EARLY)).openSpool, 30),
    minutes(2),
  )

  test(
    "and a boot that writes no record of what was dropped without one is found out",
    async () => {
      const mistake = { path: OPEN, from: "await spool.healRecords()", to: "" }
      const bent = await mutant<{ openSpool: Open }>(OPEN, mistake)
      await expect(survives(bent.openSpool)).rejects.toThrow("Property failed")
    },
    minutes(2),
  )
})

describe("records that are folded", () => {
  /** A camera so long offline that its next drop folds: 511 records without a payload. */
  let long: Promise<readonly [string, Uint8Array][]> | null = null
  async function offlineForLong(): Promise<readonly [string, Uint8Array][]> {
    const { camera, spool } = await Victim.start()
    for (let clip = 0; clip < 515; clip++) {
      const object = await camera.segment(newClip(), 0, true, 60 * KiB)
      await spool.hold(object)
      await spool.release([object.facts.id])
    }
    return entriesOf(camera.disk)
  }

  /** Whatever write the power goes with, from the record to the last removal. */
  async function neverLeaveUnsaid(open?: Open): Promise<void> {
    long ??= offlineForLong()
    for (const write of [100, 0, 1, 2, 3, 513]) {
      const victim = await Victim.start(open, await diskWith(await long))
      let clips = 0
      await victim.during({ write, kept: true }, async () => {
        for (; clips < 8; clips++) await victim.spool.release([await victim.hold(newClip(), 0, true)])
      })
      await victim.judge()
    }
  }

  test("leave only after the record that stands for them is durable", () => neverLeaveUnsaid(), minutes(2))

  test(
    "and a shelf that lets them go first is found out",
    async () => {
      const mistake = {
        path: SHELF,
        from: "this.#fold()\n",
        to: `this.#fold()
          const { from, to } = this.#folding ?? {}
          if (this.#folding) await this.removeFolded([{ kind: "drop", from, to, cause: "full" }])\n`,
      }
      const bent = await mutant<{ openSpool: Open }>(OPEN, mistake)
      await expect(neverLeaveUnsaid(bent.openSpool)).rejects.toThrow()
    },
    minutes(2),
  )

  test(
    "make room: the disk holds fewer than it would",
    async () => {
      long ??= offlineForLong()
      const victim = await Victim.start(undefined, await diskWith(await long))
      const before = (await victim.camera.disk.list("manifest.")).length
      for (let clip = 0; clip < 4; clip++) await victim.spool.release([await victim.hold(newClip(), 0, true)])
      expect((await victim.camera.disk.list("manifest.")).length).toBeLessThan(before - 500)
      await victim.judge()
    },
    minutes(1),
  )
})

async function entriesOf(disk: MemoryDisk): Promise<readonly [string, Uint8Array][]> {
  const identity = (await disk.private.get("identity")) ?? new Uint8Array()
  const entries: [string, Uint8Array][] = [["identity", identity]]
  for (const { name } of await disk.list("")) entries.push([name, (await disk.get(name)) ?? new Uint8Array()])
  return entries
}

async function diskWith([identity, ...entries]: readonly [string, Uint8Array][]): Promise<MemoryDisk> {
  const disk = new MemoryDisk({ clock: virtualClock(), random: seededRandom(1) })
  if (identity) await disk.private.put(identity[0], [identity[1]])
  for (const [name, bytes] of entries) await disk.put(name, [bytes])
  return disk
}
