import { expect, test } from "vitest"
import { Teller } from "../../../harness/commands/owner-alerts.ts"
import type { SeenCamera } from "../../../harness/commands/owner-vault.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { mutant } from "../../mutants.ts"

/** A look at a camera of whose chain the cloud shows all up to `after`, and the camera has announced more. */
function looked(after: number | null): SeenCamera {
  const alerts = after === null ? [] : [{ kind: "withheld", entries: 1, after }]
  const seen = { key: { id: "c0" }, view: { clips: [], alerts: [] }, tail: { alerts, silentSince: null } }
  // The rest of a look plays no part in what is told of it.
  return { ...seen, keyAlerts: [], gone: [] } as unknown as SeenCamera
}

/** What is told by the end of each second's look, with a patience of 30 s. */
async function tellsWhatStays(Tells: typeof Teller): Promise<void> {
  const said: string[] = []
  let now = 0
  const teller = new Tells(
    new OwnerFolder("/nowhere"),
    {},
    (line) => said.push(line),
    30_000,
    () => now,
  )
  // A camera that records: always one behind, never the same one.
  for (let after = 0; after < 60; after++, now += 1_000) await teller.tell([looked(after)])
  expect([said, teller.amiss, teller.isWaiting]).toEqual([[], false, true])
  await teller.tell([looked(null)])
  expect(teller.isWaiting).toBe(false)

  await teller.tell([looked(60)])
  now += 29_999
  await teller.tell([looked(60)])
  expect(said).toEqual([])
  now += 1
  await teller.tell([looked(60)])
  await teller.tell([looked(60)])
  expect(said).toEqual([expect.stringMatching(/withheld: 1 entries after sequence 60/)])
  expect([teller.amiss, teller.isWaiting]).toEqual([true, false])
}

test("who follows is told of what a cloud withholds once it stays away, and not of what is on its way", () =>
  tellsWhatStays(Teller))

test("an owner's app that waits for ever is found out", async () => {
  const from = "this.#awaited.get(key.id)?.after !== after"
  const patient = await mutant<{ Teller: typeof Teller }>("harness/commands/owner-alerts.ts", {
    ...{ path: "harness/commands/owner-alerts.ts", from, to: "after > 0" },
  })
  await expect(tellsWhatStays(patient.Teller)).rejects.toThrow()
})
