import { expect, test } from "vitest"
import type { openSpool } from "../../../firmware/delivery/open-spool.ts"
import { manifestName } from "../../../firmware/delivery/parcel.ts"
import type { SealedObject } from "../../../firmware/delivery/sealer.ts"
import { readChain } from "../../../harness/owner/chain-view.ts"
import { mutant } from "../../mutants.ts"
import { type BenchCamera, benchCamera, newClip } from "./bench-camera.ts"

type Open = typeof openSpool

/** Lets writes of manifests wait until they are let go, in the order in which they came. */
function slowManifests({ disk }: BenchCamera) {
  const waiting: (() => void)[] = []
  let atOnce = 0
  let most = 0
  const put = disk.put.bind(disk)
  disk.put = async (name, parts) => {
    if (!name.startsWith("manifest.")) return put(name, parts)
    most = Math.max(most, ++atOnce)
    await new Promise<void>((resolve) => waiting.push(resolve))
    await put(name, parts)
    atOnce--
  }
  return {
    most: () => most,
    async until(count: number): Promise<void> {
      while (waiting.length < count) await turn()
    },
    /** Lets go of one after another until `work` is done. */
    async through(work: Promise<unknown>): Promise<void> {
      let done = false
      const finished = work.then(() => {
        done = true
      })
      while (!done) {
        waiting.shift()?.()
        for (let turns = 0; turns < 5; turns++) await turn()
      }
      await finished
    },
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A camera that lost its spool with three links, and the newest of them, as the cloud would send it. */
async function amnesiac(): Promise<{ camera: BenchCamera; newest: Uint8Array }> {
  const camera = await benchCamera()
  const spool = await camera.boot()
  for (let count = 0; count < 3; count++) await recordWith(camera, spool)
  const newest = (await camera.disk.get(manifestName(2))) ?? new Uint8Array()
  for (const { name } of await camera.disk.list("")) await camera.disk.remove(name)
  return { camera, newest }
}

async function recordWith(camera: BenchCamera, spool: Awaited<ReturnType<Open>>): Promise<void> {
  await listed(spool, await camera.segment(newClip(), 0, true))
}

async function listed(spool: Awaited<ReturnType<Open>>, object: SealedObject): Promise<void> {
  await spool.hold(object)
  await spool.release([object.facts.id])
}

/** The cloud's word comes while a manifest is being written, and another object is released meanwhile. */
async function takesItsTurn(open?: Open): Promise<void> {
  const { camera, newest } = await amnesiac()
  const spool = await camera.boot({}, open)
  const objects = [await camera.segment(newClip(), 0, true), await camera.segment(newClip(), 0, true)]
  const slow = slowManifests(camera)
  const work: Promise<unknown>[] = []
  const adopting: Promise<number | null>[] = []
  for (const object of objects) {
    work.push(listed(spool, object))
    await slow.until(1)
    if (adopting.length > 0) continue
    adopting.push(spool.adopt(newest), spool.adopt(newest))
    for (let turns = 0; turns < 5; turns++) await turn()
  }
  await slow.through(Promise.all([...work, ...adopting]))
  const adopted = await Promise.all(adopting)
  expect(slow.most()).toBe(1)
  expect(adopted.filter((sequence) => sequence === 2)).toHaveLength(1)
  const envelopes: Uint8Array[] = []
  for (const { name } of await camera.disk.list("manifest."))
    envelopes.push((await camera.disk.get(name)) ?? new Uint8Array())
  const view = readChain(envelopes, camera.identity.key)
  const sequences = view.objects.map(({ sequence }) => sequence)
  expect(new Set(sequences).size).toBe(sequences.length)
  // Whichever came first, the next goes on from the newest, and so does the next boot.
  const { newest: before } = spool
  expect(before).toBeGreaterThanOrEqual(2)
  await slow.through(recordWith(camera, spool))
  expect([spool.newest, (await camera.boot()).newest]).toEqual([before + 1, before + 1])
}

test("adopting a newer link takes its turn with the listing: one writer at a time, and one order", () =>
  takesItsTurn())

test("a spool that adopts in the middle of a listing is found out", async () => {
  const mistake = {
    path: "firmware/delivery/listing.ts",
    from: "while (this.#writing) await this.#writing\n",
    to: "await Promise.resolve()\n",
  }
  const bent = await mutant<{ openSpool: Open }>("firmware/delivery/open-spool.ts", mistake)
  await expect(takesItsTurn(bent.openSpool)).rejects.toThrow("to be 1")
})
