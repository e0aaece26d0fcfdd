import { describe, expect, test } from "vitest"
import type { ObjectEntry } from "../../../firmware/control/protocol.ts"
import { missingIn, namedIn } from "../../../harness/owner/missing.ts"
import { NOTHING_SEEN, type TailAlert, type TailView } from "../../../harness/owner/tail.ts"
import type { Fate, VaultClip, VaultObject, VaultView } from "../../../harness/owner/vault.ts"
import { randomObject } from "../cloud/camera.ts"

/** One clip of a segment for each fate, from sequence 0. */
function viewOf(fates: readonly Fate[], alerts: VaultView["alerts"] = []): VaultView {
  const clip = "c1".repeat(16)
  const segments = fates.map((fate, sequence): VaultObject => {
    const entry: ObjectEntry = { ...randomObject(100).entry, clip, index: sequence }
    return { entry, sequence, manifest: "00".repeat(32), epoch: 1, fate }
  })
  const about = { thumbnail: null, summary: null, cut: false, ended: false, whole: false }
  const clips: readonly VaultClip[] = [{ clip, segments, ...about }]
  return { clips, alerts, newest: fates.length - 1, links: [], epochs: [], looks: [] }
}

const tailOf = (...alerts: readonly TailAlert[]): TailView => ({
  ...{ alerts, silentSince: null, seen: NOTHING_SEEN },
})

describe("what of a chain is missing", () => {
  test("is what the cloud lost or was not heard of, and not what the camera dropped", () => {
    const fates = ["received", "lost by the cloud", "not heard of", "dropped by the camera"] as const
    expect(missingIn(viewOf(fates), tailOf())).toEqual([{ from: 1, to: 2 }])
    expect(missingIn(viewOf(["received"]), tailOf())).toEqual([])
  })

  test("is also its gaps, and what was announced or shown beyond its end, each sequence once", () => {
    const gap = { kind: "gap", from: 4, to: 6 } as const
    const withheld = { kind: "withheld", entries: 3, after: 9 } as const
    const less = { kind: "shows less", newest: 9, before: 10, at: 0 } as const
    expect(missingIn(viewOf(["lost by the cloud"], [gap]), tailOf(less, withheld))).toEqual([
      { from: 0, to: 0 },
      { from: 4, to: 6 },
      { from: 10, to: 12 },
    ])
  })
})

test("what is asked for by name is found by the beginning of a clip's or an object's id", () => {
  const view = viewOf(["received", "received", "lost by the cloud"])
  expect(namedIn(view, ["c1c1", "elsewhere"])).toEqual({ ranges: [{ from: 0, to: 2 }], found: ["c1c1"] })
  const id = view.clips[0]?.segments[2]?.entry.id ?? ""
  expect(namedIn(view, [id.slice(0, 20)]).ranges).toEqual([{ from: 2, to: 2 }])
})
