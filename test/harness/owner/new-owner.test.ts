import { expect, test } from "vitest"
import { openIdentity, resetCamera } from "../../../firmware/control/identity.ts"
import type { PublicKey } from "../../../firmware/control/keys.ts"
import { OwnershipFile } from "../../../firmware/control/ownership.ts"
import { bucketSource } from "../../../harness/owner/bucket-source.ts"
import { sendCommand } from "../../../harness/owner/command.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { Vault, type VaultView } from "../../../harness/owner/vault.ts"
import { type Home, openHome, recordClip } from "../home.ts"

async function deliverClip(home: Home): Promise<void> {
  const clip = await recordClip(home)
  await home.line((line) => line.event === "received" && line.clips.includes(clip))
}

const openedBy = async (vault: Vault, { clips }: VaultView): Promise<readonly string[]> =>
  Promise.all(
    clips.flatMap(({ segments }) =>
      segments.map(async (each) =>
        vault.open(each).then(
          () => "opened",
          (error: { kind?: string }) => String(error.kind),
        ),
      ),
    ),
  )

test("a camera that was reset and paired anew starts empty: the new owner sees none of the old clips, the old owner is refused", async ({
  onTestFinished,
}) => {
  const [before, after] = await Promise.all([OwnerKeys.create(), OwnerKeys.create()])
  const old = await openHome({ keys: before })
  onTestFinished(() => old.close())
  const oldCamera = await old.pair()
  const stopOld = old.run()
  await deliverClip(old)
  await stopOld()

  const { disk } = old.board
  await resetCamera(disk)
  const next = await openHome({ keys: after, cloud: old.cloud, board: { disk } })
  onTestFinished(() => next.close())
  const camera = await next.pair()
  const stop = next.run()
  onTestFinished(stop)
  expect(camera.id).not.toBe(oldCamera.id)

  const source = bucketSource(old.cloud.bucket)
  const viewOf = async (keys: OwnerKeys, of: PublicKey) => {
    const vault = new Vault(source, of, keys.identity)
    return { vault, view: await vault.view() }
  }
  expect((await viewOf(after, camera)).view.clips).toEqual([])

  await deliverClip(next)
  const fresh = await viewOf(after, camera)
  expect(new Set(await openedBy(fresh.vault, fresh.view))).toEqual(new Set(["opened"]))
  const crossed = [await viewOf(after, oldCamera), await viewOf(before, camera)]
  for (const { vault, view } of crossed) {
    expect(view.clips.length).toBeGreaterThan(0)
    expect(new Set(await openedBy(vault, view))).toEqual(new Set(["refused"]))
  }

  // The cloud carries no command of the old owner's to this camera; and if it did, the camera would not take it.
  const command = before.recipientsFor(camera.id, 2)
  const { name } = old.cloud.identity
  const parts = { ...next.board, log: { write: () => undefined } }
  const patience = AbortSignal.timeout(1_500)
  const answer = await sendCommand(
    command,
    camera,
    before.signingKeyFor(camera.id),
    { name, pin: null },
    parts,
    next.config.link,
    patience,
  )
  expect(answer).toBeNull()
  const file = new OwnershipFile(disk, await openIdentity(disk))
  const ownership = (await file.read()) ?? raise()
  expect(await file.change(ownership, command)).toEqual({
    ok: false,
    reason: expect.stringContaining("another key"),
  })
}, 60_000)

function raise(): never {
  throw new Error("not there")
}
