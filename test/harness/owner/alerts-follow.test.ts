import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, expect, test, vi } from "vitest"
import { runCamera } from "../../../firmware/camera.ts"
import { startCloud } from "../../../harness/cloud/broker.ts"
import { openCloudKeys } from "../../../harness/cloud/keys.ts"
import { follow, Teller } from "../../../harness/commands/owner-alerts.ts"
import { look } from "../../../harness/commands/owner-vault.ts"
import { untilSomebody } from "../../../harness/commands/visit.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { loadScene } from "../../../simulator/footage.ts"
import { mutant } from "../../mutants.ts"
import { type Home, openHome } from "../home.ts"

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
})

/** A household whose owner follows what its camera sees. Clips are cut after ten seconds. */
async function followed(run: typeof runCamera = runCamera) {
  const folder = await mkdtemp(join(tmpdir(), "obscura-alerts-"))
  ending.push(() => rm(folder, { recursive: true, force: true }))
  const owner = new OwnerFolder(join(folder, "owner"))
  const keys = await owner.create("x25519", null)
  await mkdir(join(folder, "cloud"))
  const cloud = await startCloud({
    ...{ host: "127.0.0.1", port: 0, name: "cloud.example", directory: join(folder, "cloud", "bucket") },
    keys: await openCloudKeys(join(folder, "cloud-keys.json")),
    log: { write: () => undefined },
  })
  ending.push(() => cloud.close())
  await writeFile(join(folder, "cloud", "identity.json"), `${JSON.stringify(cloud.identity)}\n`)
  const recording = { preRoll: 1_000, postRoll: 500, clipMax: 10_000 }
  const home: Home = await openHome({ cloud, keys, config: { recording }, board: { eyes: "truth" } })
  await owner.addPaired(await home.pair(), keys, Date.now())
  const stop = new AbortController()
  const running = run(home.board, home.config, stop.signal)
  ending.push(() => {
    stop.abort()
    return running
  })
  await home.line(({ event }) => event === "connected")

  const said: string[] = []
  const options = { home: folder, pictures: join(folder, "pictures") }
  const teller = new Teller(owner, options, (line) => said.push(line), 60_000)
  const household = await owner.household(keys)
  const broker = { name: cloud.identity.name, pin: null }
  const parts = { ...home.board, log: { write: () => undefined } }
  const following = follow(
    teller,
    options,
    household,
    { cloud: cloud.identity, broker, parts, config: home.config.link },
    stop.signal,
  )
  ending.push(() => {
    stop.abort()
    return following
  })
  return { folder, home, said, options, owner, household }
}

async function tellsWhileItGoesOn(run?: typeof runCamera): Promise<void> {
  const { folder, home, said, options, owner, household } = await followed(run)
  const { clock, lens } = home.board
  await clock.sleep(1_100)
  await clock.sleep(untilSomebody(await loadScene("day-person"), lens.positionAt(clock.monotonic())))
  home.visitor.moves(true)
  await vi.waitUntil(() => said.some((line) => line.includes("person, motion")), 20_000)
  const recorded = home.lines.some(({ event }) => event === "clip recorded")
  home.visitor.moves(false)
  expect(recorded).toBe(false)

  const [line = ""] = said.filter((each) => each.includes("person, motion"))
  const picture = await readFile(line.match(/\S+\.mp4/)?.[0] ?? "")
  expect(picture.toString("latin1", 4, 8)).toBe("ftyp")
  expect(said.filter((each) => each.startsWith("!"))).toEqual([])
  await home.line(({ event }) => event === "clip recorded")

  const again: string[] = []
  const teller = new Teller(owner, options, (each) => again.push(each))
  await teller.tell(await look({ home: folder }, household))
  expect(again.filter((each) => each.includes("clip "))).toEqual([])
  const kept = await owner.kept("receipts", household.book.cameras[0]?.device ?? "")
  expect(kept.length).toBeGreaterThan(0)
}

test(
  "who follows knows who is at the door, with a picture, while they are still there; and is told once",
  () => tellsWhileItGoesOn(),
  60_000,
)

test("a camera that tells only when the clip is over is found out", async () => {
  const path = "firmware/recorder.ts"
  const from = "    await clip.tell(shown.settled, about)\n"
  const late = await mutant<{ runCamera: typeof runCamera }>("firmware/camera.ts", { path, from, to: "" })
  await expect(tellsWhileItGoesOn(late.runCamera)).rejects.toThrow("expected true to be false")
}, 60_000)
