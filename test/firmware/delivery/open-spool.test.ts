import { describe, expect, test } from "vitest"
import type { openSpool } from "../../../firmware/delivery/open-spool.ts"
import { manifestName, objectName } from "../../../firmware/delivery/parcel.ts"
import { Fault } from "../../../firmware/errors.ts"
import { readChain } from "../../../harness/owner/chain-view.ts"
import { mutant } from "../../mutants.ts"
import { type BenchCamera, benchCamera, entriesOn, newClip } from "./bench-camera.ts"

const OPEN = "firmware/delivery/open-spool.ts"
type Open = typeof openSpool

async function bent(from: string, to: string, path = OPEN): Promise<Open> {
  return (await mutant<{ openSpool: Open }>(OPEN, { path, from, to })).openSpool
}

/** A camera whose power went while `objects` were held. */
async function holding(objects: number): Promise<{ camera: BenchCamera; names: string[] }> {
  const camera = await benchCamera()
  const spool = await camera.boot()
  const names: string[] = []
  for (let index = 0; index < objects; index++) {
    const object = await camera.segment(newClip(), 0, true)
    await spool.hold(object)
    names.push(objectName(object.facts.id))
  }
  return { camera, names }
}

const damagedNames = ({ log }: BenchCamera) =>
  log.lines.flatMap((line) => (line.event === "spool damaged" ? [line.entry] : []))

async function change(camera: BenchCamera, name: string, by: (bytes: Buffer) => void): Promise<void> {
  const bytes = Buffer.from((await camera.disk.get(name)) ?? new Uint8Array())
  by(bytes)
  await camera.disk.put(name, [bytes])
}

describe("a held object at boot", () => {
  async function staysWhileUnreadable(open?: Open): Promise<void> {
    const { camera, names } = await holding(2)
    const get = camera.disk.get.bind(camera.disk)
    camera.disk.get = (name) =>
      name === names[0] ? Promise.reject(new Fault("unavailable", "bad sector, perhaps")) : get(name)
    await camera.boot({}, open)
    expect(damagedNames(camera)).toEqual([names[0]])
    expect((await camera.disk.list("object.")).map(({ name }) => name)).toContain(names[0])
    expect(await entriesOn(camera.disk)).toHaveLength(1)
    camera.disk.get = get
    await camera.boot()
    expect(await entriesOn(camera.disk)).toHaveLength(2)
  }

  test("that cannot be read now stays, and is listed by the boot that can read it", () =>
    staysWhileUnreadable())

  test("would be lost by a boot that removes whatever it cannot read, and that is found out", async () => {
    const open = await bent('if (error.kind === "malformed" || error.kind === "tampered") await', "await")
    await expect(staysWhileUnreadable(open)).rejects.toThrow("to include")
  })

  test.each([
    ["malformed", (bytes: Buffer) => bytes.fill(0, 0, 4)],
    ["tampered", (bytes: Buffer) => bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1)],
  ])("that is %s leaves with a log line, and the others are listed", async (_kind, damage) => {
    const { camera, names } = await holding(2)
    await change(camera, names[1] ?? "", damage)
    await camera.boot()
    expect(damagedNames(camera)).toEqual([names[1]])
    expect((await camera.disk.list("object.")).map(({ name }) => name)).toEqual([names[0]])
    expect(await entriesOn(camera.disk)).toHaveLength(1)
  })

  async function refusesTampered(open?: Open): Promise<void> {
    const { camera, names } = await holding(1)
    await change(camera, names[0] ?? "", (bytes) => bytes.writeUInt8(0, bytes.length - 1))
    await camera.boot({}, open)
    expect(await entriesOn(camera.disk)).toEqual([])
  }

  test("whose bytes have changed is never listed, and a boot that does not look is found out", async () => {
    await refusesTampered()
    const open = await bent(
      "if (!isWhole(stored.facts, [age]))",
      "if (false)",
      "firmware/delivery/object-file.ts",
    )
    await expect(refusesTampered(open)).rejects.toThrow("to deeply equal []")
  })
})

describe("a manifest at boot", () => {
  /** Three manifests, of which the middle one or the newest rots. */
  async function skipped(rotten: number, open?: Open): Promise<BenchCamera> {
    const camera = await benchCamera()
    const spool = await camera.boot()
    for (let index = 0; index < 3; index++) {
      const object = await camera.segment(newClip(), 0, true)
      await spool.hold(object)
      await spool.release([object.facts.id])
    }
    const name = manifestName(rotten)
    await change(camera, name, (bytes) => bytes.writeUInt8((bytes[90] ?? 0) ^ 1, 90))
    const again = await camera.boot({}, open)
    expect(damagedNames(camera)).toEqual([name])
    // Its object is in no manifest now, so it is listed anew, under a number that nobody has heard of.
    const heard = new Set([0, 1, 2])
    await camera.disk.remove(name)
    const envelopes: Uint8Array[] = []
    for (const { name } of await camera.disk.list("manifest."))
      envelopes.push((await camera.disk.get(name)) ?? new Uint8Array())
    const view = readChain(envelopes, camera.identity.key)
    const anew = view.objects.map(({ sequence }) => sequence).filter((sequence) => sequence > 2)
    expect(anew).toHaveLength(1)
    for (const sequence of anew) expect(heard.has(sequence)).toBe(false)
    expect(view.objects).toHaveLength(3)
    expect(view.alerts.filter(({ kind }) => kind === "fork")).toEqual([])
    expect(again.newest).toBe(anew[0])
    return camera
  }

  test.each([1, 2])(
    "that is damaged is skipped with a log line, and no number is used twice: %i",
    async (at) => {
      await skipped(at)
    },
  )

  test("whose number is given again forks the chain, and that is found out", async () => {
    const open = await bent(
      'chain.skip(Number(name.slice("manifest.".length)) + MANIFEST_ENTRIES_MAX)',
      "void MANIFEST_ENTRIES_MAX",
    )
    await expect(skipped(2, open)).rejects.toThrow()
  })

  /** A whole manifest by another key, damaged or not: the card was put into another camera. */
  async function refusesForeign(damage: boolean, open?: Open): Promise<void> {
    const [camera, other] = [await benchCamera(), await benchCamera()]
    for (const each of [camera, other]) {
      const spool = await each.boot()
      const object = await each.segment(newClip(), 0, true)
      await spool.hold(object)
      await spool.release([object.facts.id])
    }
    const foreign = Buffer.from((await other.disk.get(manifestName(0))) ?? new Uint8Array())
    // One letter of the signature: it still says who signed.
    if (damage) foreign.write(foreign.at(-20) === 65 ? "B" : "A", foreign.length - 20)
    await camera.disk.put(manifestName(0), [foreign])
    const before = await camera.disk.list("")
    await expect(camera.boot({}, open)).rejects.toMatchObject({ kind: "usage", definite: true })
    expect(await camera.disk.list("")).toEqual(before)
  }

  test("signed by another camera means another camera's spool: refused, and nothing in it is changed", async () => {
    await refusesForeign(false)
    await refusesForeign(true)
  })

  test("by another camera that is taken for mere damage is found out", async () => {
    const open = await bent("(signer !== null && signer !== device)", "false")
    await expect(refusesForeign(false, open)).rejects.toThrow()
  })
})

describe("a clip of which nothing is left here but a thumbnail", () => {
  /** Two segments were delivered and let go; the newest manifest is the thumbnail's. Then the power went. */
  async function saysWhereItWasCut(open?: Open): Promise<void> {
    const camera = await benchCamera()
    const spool = await camera.boot()
    const clip = newClip()
    const { signal } = new AbortController()
    const parts = [
      await camera.segment(clip, 0),
      await camera.segment(clip, 1),
      await camera.thumbnail(clip, 2),
    ]
    for (const object of parts) {
      await spool.hold(object)
      await spool.release([object.facts.id])
      const parcel = await spool.next(signal)
      if (parcel) await spool.received(parcel, new Uint8Array())
    }
    expect((await entriesOn(camera.disk)).map(({ kind }) => kind)).toEqual(["thumbnail"])
    await camera.boot({}, open)
    expect(await entriesOn(camera.disk)).toContainEqual(
      expect.objectContaining({ kind: "cut", clip, segments: 2 }),
    )
  }

  test("is said to have been cut after the segments that came before it", () => saysWhereItWasCut())

  test("would never end if a boot looked at segments alone, and that is found out", async () => {
    const open = await bent('kind === "thumbnail" && !last ? index : 0', "last ? index : 0")
    await expect(saysWhereItWasCut(open)).rejects.toThrow("to deep equally contain")
  })
})
