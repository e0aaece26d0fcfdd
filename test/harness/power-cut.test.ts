import { expect, test } from "vitest"
import { bucketSource } from "../../harness/owner/bucket-source.ts"
import { Vault } from "../../harness/owner/vault.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { noFaults } from "../../simulator/faults.ts"
import { FaultyDialler } from "../../simulator/faulty-dialler.ts"
import { seededRandom } from "../../simulator/random.ts"
import { type Home, openHome } from "./home.ts"

/** Every segment that the camera said is safe, of every clip. */
function safeSegments({ lines }: Home): string[] {
  return lines.flatMap((line) =>
    line.event === "object sealed" && line.kind === "segment" ? [`${line.clip} ${line.index}`] : [],
  )
}

test("a camera whose power goes in the middle of a clip boots again, and its owner finds all of it that was safe", async ({
  onTestFinished,
}) => {
  const clock = virtualClock()
  const disk = new MemoryDisk({ clock, random: seededRandom(1) })
  const first = await openHome({ board: { disk } })
  onTestFinished(() => first.close())
  const camera = await first.pair()

  // Without a network, so that what is found came through the power cut and not before it.
  const away = new FaultyDialler(first.board.dialler, { ...noFaults.link, refuse: 1 }, clock, seededRandom(1))
  const { cloud, keys } = first
  const cut = await openHome({ cloud, keys, board: { disk, dialler: away } })
  onTestFinished(() => cut.close())
  const stop = cut.run()
  await cut.line(({ event }) => event === "started")
  await clock.sleep(1_200)
  cut.visitor.moves(true)
  while (safeSegments(cut).length < 3) await clock.sleep(20)
  disk.cutPower()
  const safe = safeSegments(cut)
  await stop().catch(() => undefined) // it died where it stood
  expect(cut.lines.some(({ event }) => event === "clip recorded")).toBe(false)

  disk.powerOn()
  const again = await openHome({ cloud, keys, board: { disk } })
  onTestFinished(() => again.close())
  const stopAgain = again.run()
  const recovered = await again.line(({ event }) => event === "clip recovered")
  const vault = new Vault(bucketSource(cloud.bucket), camera, keys.identity)
  while ((await vault.view()).clips[0]?.whole !== true) await clock.sleep(50)
  await stopAgain()

  const { clips, alerts } = await vault.view()
  expect(alerts).toEqual([])
  expect(clips).toHaveLength(1)
  const [clip] = clips
  if (!clip) throw new Error("no clip")
  expect([clip.cut, clip.whole, recovered]).toEqual([
    true,
    true,
    expect.objectContaining({ clip: clip.clip }),
  ])
  expect(clip.segments.map(({ entry }) => `${entry.clip} ${entry.index}`)).toEqual(
    expect.arrayContaining(safe),
  )
  expect(Buffer.from(await vault.openClip(clip)).toString("latin1", 4, 8)).toBe("ftyp")
}, 40_000)
