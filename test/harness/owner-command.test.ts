import { randomBytes } from "node:crypto"
import { describe, expect, type onTestFinished, test } from "vitest"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { bucketSource } from "../../harness/owner/bucket-source.ts"
import { resendCommand, sendCommand } from "../../harness/owner/command.ts"
import { OwnerKeys } from "../../harness/owner/keys.ts"
import { Vault } from "../../harness/owner/vault.ts"
import { open, received, recorded, until, walkBy } from "./camera-rig.ts"

describe.concurrent("an owner's command", () => {
  async function running(onFinished: typeof onTestFinished) {
    const home = await open(onFinished)
    const camera = await home.pair()
    const stop = home.run()
    await home.line((line) => line.event === "connected")
    const owner = home.keys.signingKeyFor(camera.id)
    const parts = { ...home.board, log: { write: () => undefined } }
    const send = (command: Uint8Array, key = owner) =>
      sendCommand(
        command,
        camera,
        key,
        { name: home.cloud.identity.name, pin: null },
        parts,
        home.config.link,
        AbortSignal.timeout(4_000),
      )
    return { home, camera, stop, owner, send }
  }

  test("changes for whom the camera seals, to higher epochs alone, across a restart", async ({
    onTestFinished,
  }) => {
    const { home, camera, stop, send } = await running(onTestFinished)
    const other = await OwnerKeys.create()
    const higher = home.keys.recipientsFor(camera.id, 2, other.householdRecipient)
    expect(await send(higher)).toMatchObject({ result: "done" })
    expect(await send(home.keys.recipientsFor(camera.id, 2))).toMatchObject({
      result: "refused",
      reason: "epoch 2 is not above 2",
    })
    await stop()
    const again = home.run()
    await home.board.clock.sleep(1_200)
    await walkBy(home)
    const vault = new Vault(bucketSource(home.cloud.bucket), camera, other.identity)
    await until(async () => (await vault.view()).clips[0]?.whole === true)
    await again()
    const clip = (await vault.view()).clips[0] ?? raise()
    expect((await vault.openClip(clip)).length).toBeGreaterThan(100_000)
    const before = new Vault(bucketSource(home.cloud.bucket), camera, home.keys.identity)
    await expect(before.openClip(clip)).rejects.toMatchObject({ kind: "refused" })
  })

  test("by anybody else is not even carried, and if it were, is refused", async ({ onTestFinished }) => {
    const { home, camera, stop, send } = await running(onTestFinished)
    const stranger = signingKeyOf(randomBytes(32))
    const foreign = await OwnerKeys.create()
    expect(await send(foreign.recipientsFor(camera.id, 9), stranger)).toBeNull()
    // The true owner's connection carrying a stranger's signature: as if the cloud itself had sent it.
    expect(await send(foreign.recipientsFor(camera.id, 9))).toMatchObject({ result: "refused" })
    expect(home.lines.some((line) => line.event === "recipients changed")).toBe(false)
    await stop()
  })

  test("for another camera, of no known kind, or for what is gone, is refused with a reason", async ({
    onTestFinished,
  }) => {
    const { camera, stop, owner, send } = await running(onTestFinished)
    expect(await send(resendCommand("ab".repeat(20), 0, 3, owner))).toMatchObject({
      result: "refused",
      reason: "meant for another camera",
    })
    expect(await send(resendCommand(camera.id, 5, 3, owner))).toMatchObject({ reason: "from is after to" })
    expect(await send(resendCommand(camera.id, 0, 3, owner))).toMatchObject({
      reason: "nothing of that is held here any more",
    })
    expect(await send(Buffer.from("open the door"))).toMatchObject({ reason: "no such command" })
    await stop()
  })

  test("sends again what the cloud lost", async ({ onTestFinished }) => {
    const { home, camera, stop, owner, send } = await running(onTestFinished)
    await home.board.clock.sleep(1_200)
    await walkBy(home)
    const clip = await home.line(recorded)
    const objects = clip.event === "clip recorded" ? clip.objects : 0
    await home.line((line) => line.event === "received" && line.to === objects - 1)
    const before = home.lines.filter(received).length
    expect(await send(resendCommand(camera.id, 0, 1, owner))).toMatchObject({ result: "done" })
    await until(() => home.lines.filter(received).length > before)
    await stop()
  })
})

function raise(): never {
  throw new Error("not there")
}
