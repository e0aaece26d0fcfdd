import { expect, test } from "vitest"

import { bucketSource } from "../../harness/owner/bucket-source.ts"
import { sendCommand } from "../../harness/owner/command.ts"
import { OwnerKeys } from "../../harness/owner/keys.ts"
import { Vault } from "../../harness/owner/vault.ts"
import { type Home, openHome } from "./home.ts"

/** Records while somebody moves, until the cloud has receipted all of the clip. */
async function recordOneClip(home: Home): Promise<void> {
  await home.line(({ event }) => event === "connected")
  await home.board.clock.sleep(1_100)
  home.visitor.moves(true)
  await home.line(({ event }) => event === "object sealed")
  home.visitor.moves(false)
  const line = await home.line(({ event }) => event === "clip recorded")
  const objects = line.event === "clip recorded" ? line.objects : 0
  await home.line((each) => each.event === "received" && each.to >= objects - 1)
}

test("a post-quantum household pairs, and records, verifies and opens what nothing weaker opens", async ({
  onTestFinished,
}) => {
  const keys = await OwnerKeys.create("post-quantum")
  const home = await openHome({ keys })
  onTestFinished(() => home.close())
  const camera = await home.pair()
  const stop = home.run()
  await recordOneClip(home)
  await stop()
  const vault = new Vault(bucketSource(home.cloud.bucket), camera, keys.identity)
  const { clips, alerts } = await vault.view()
  expect([clips.length, clips[0]?.whole, alerts]).toEqual([1, true, []])
  const [clip] = clips
  if (!clip) throw new Error("no clip")
  for (const object of [...clip.segments, clip.thumbnail, clip.summary]) {
    if (!object) throw new Error("an object is missing")
    const header = Buffer.from(await vault.sealed(object))
      .subarray(0, object.entry.headerBytes)
      .toString("latin1")
    expect(header).toContain("-> mlkem768x25519 ")
    expect(header).not.toContain("X25519 ")
    expect((await vault.open(object)).length).toBeGreaterThan(1_000)
  }
  expect(Buffer.from(await vault.openClip(clip)).toString("latin1", 4, 8)).toBe("ftyp")
}, 40_000)

test("a household that becomes post-quantum is obeyed: its camera seals for the new key", async ({
  onTestFinished,
}) => {
  const [before, after] = [await OwnerKeys.create(), await OwnerKeys.create("post-quantum")]
  const home = await openHome({ keys: before })
  onTestFinished(() => home.close())
  const camera = await home.pair()
  const stop = home.run()
  await home.line(({ event }) => event === "connected")
  const answer = await sendCommand(
    before.recipientsFor(camera.id, 2, after.householdRecipient),
    camera,
    before.signingKeyFor(camera.id),
    { name: home.cloud.identity.name, pin: null },
    { ...home.board, log: { write: () => undefined } },
    home.config.link,
    AbortSignal.timeout(8_000),
  )
  expect(answer).toMatchObject({ result: "done" })
  await recordOneClip(home)
  await stop()
  const vault = new Vault(bucketSource(home.cloud.bucket), camera, after.identity)
  const clip = (await vault.view()).clips[0]
  if (!clip) throw new Error("no clip")
  expect(Buffer.from(await vault.openClip(clip)).toString("latin1", 4, 8)).toBe("ftyp")
}, 40_000)
