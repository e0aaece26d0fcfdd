import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { Fault } from "../../firmware/errors.ts"
import { minutes } from "../../firmware/units.ts"
import { type Cloud, startCloud } from "../../harness/cloud/broker.ts"
import { openBucket, type WritableBucket } from "../../harness/cloud/bucket.ts"
import { openCloudKeys } from "../../harness/cloud/keys.ts"
import { mutant } from "../mutants.ts"
import { openHome } from "./home.ts"

/** A cloud whose disk can be filled and emptied. */
async function smallCloud(start: typeof startCloud): Promise<{ cloud: Cloud; disk: { full: boolean } }> {
  const folder = await mkdtemp(join(tmpdir(), "obscura-full-"))
  const disk = { full: false }
  const bucket = await openBucket(join(folder, "bucket"))
  const guarded = new Proxy(bucket, {
    get(target, name) {
      if (name === "store" && disk.full) return () => Promise.reject(new Fault("full", "no room"))
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === "function" ? member.bind(target) : member
    },
  })
  const cloud = await start({
    host: "127.0.0.1",
    port: 0,
    name: "cloud.example",
    directory: guarded satisfies WritableBucket,
    keys: await openCloudKeys(join(folder, "cloud-keys.json")),
    log: { write: () => undefined },
  })
  onTestFinished(async () => {
    await cloud.close()
    await rm(folder, { recursive: true, force: true })
  })
  return { cloud, disk }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** One clip while the cloud's disk is full; then there is room again. */
async function signsOnlyForWhatItHas(start: typeof startCloud = startCloud): Promise<void> {
  const { cloud, disk } = await smallCloud(start)
  const home = await openHome({ cloud, config: { link: { retryFirst: 50, resendAfter: 300 } } })
  onTestFinished(() => home.close())
  await home.pair()
  const stop = home.run()
  await home.line(({ event }) => event === "connected")
  await home.board.clock.sleep(1_200)
  disk.full = true
  home.visitor.moves(true)
  await home.board.clock.sleep(300)
  home.visitor.moves(false)
  await home.line(({ event }) => event === "clip recorded")
  await until(() => cloud.stats.storeFaults > 3 || cloud.stats.receipts > 0)
  const whileFull = {
    receipts: cloud.stats.receipts,
    marks: (await home.board.disk.list("received.")).length,
    received: home.lines.filter(({ event }) => event === "received").length,
  }
  disk.full = false
  if (whileFull.received === 0) {
    const { length } = home.lines.filter(({ event }) => event === "object sealed")
    await until(() => cloud.bucket.objectCount >= length)
    await home.line(({ event }) => event === "received")
  }
  await stop()
  expect(whileFull).toEqual({ receipts: 0, marks: 0, received: 0 })
  expect(home.lines.filter(({ event }) => event === "dropped")).toEqual([])
}

test(
  "a cloud whose disk is full signs for nothing, the camera marks nothing, and all arrives when there is room",
  () => signsOnlyForWhatItHas(),
  minutes(1),
)

test(
  "a cloud that signs for what it could not store is found out",
  async () => {
    const receipt =
      "{ device, manifest: hash, from: body.sequence, to: body.sequence + body.entries.length - 1 }"
    const bent = await mutant<{ startCloud: typeof startCloud }>("harness/cloud/broker.ts", {
      path: "harness/cloud/uploads.ts",
      from: "(error: unknown) => this.#notStored(manifest, object, error),",
      to: `() => {
      this.#options.stats.receipts++
      this.#options.send(device, "receipt", sign("receipt", ${receipt}, this.#options.receiptKey))
    },`,
    })
    await expect(signsOnlyForWhatItHas(bent.startCloud)).rejects.toThrow("to deeply equal { receipts: +0")
  },
  minutes(1),
)
