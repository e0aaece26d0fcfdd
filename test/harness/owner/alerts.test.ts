import { describe, expect, test } from "vitest"
import { sign } from "../../../firmware/control/dsse.ts"
import { type Alert, alertsOf, type Watched } from "../../../harness/owner/alerts.ts"
import { readChain } from "../../../harness/owner/chain-view.ts"
import { noteOf } from "../../../harness/owner/clip-note.ts"
import { missingIn } from "../../../harness/owner/missing.ts"
import * as receipts from "../../../harness/owner/receipts.ts"
import { NOTHING_SEEN } from "../../../harness/owner/tail.ts"
import type { VaultObject } from "../../../harness/owner/vault.ts"
import { mutant } from "../../mutants.ts"
import { manifestOf, newKey, randomObject, type TestManifest } from "../cloud/camera.ts"

const QUIET: Watched = {
  view: { clips: [], alerts: [], newest: -1, links: [], epochs: [], looks: [] },
  tail: { alerts: [] },
  keyAlerts: [],
  gone: [],
}
const says = (watched: Partial<Watched>): readonly Alert[] => alertsOf({ ...QUIET, ...watched })

describe("what an owner is told", () => {
  test("is nothing where all is well", () => expect(says({})).toEqual([]))

  test("is one plain line for everything that can be amiss, and what to do about it", () => {
    const at = Date.UTC(2026, 0, 1)
    const object = { ...randomObject(100), sequence: 0, manifest: "", epoch: 1 }
    const lost: VaultObject = { ...object, entry: object.entry, fate: "lost by the cloud" }
    const clip = { clip: "c1".repeat(16), segments: [lost], thumbnail: null, summary: null }
    const alerts = says({
      view: {
        ...QUIET.view,
        clips: [{ ...clip, cut: false, ended: true, whole: false }],
        alerts: [
          { kind: "gap", from: 1, to: 2 },
          { kind: "fork", sequence: 3 },
          { kind: "not this camera's", reason: "signed by another key" },
        ],
      },
      tail: {
        alerts: [
          { kind: "withheld", entries: 2, after: 3 },
          { kind: "another head", sequence: 4 },
          { kind: "shows less", newest: 1, before: 4, at },
          { kind: "shows another", sequence: 4, at },
          { kind: "older heartbeat", at },
          { kind: "replayed heartbeat", at, since: at },
          { kind: "two boots", at, since: at },
          { kind: "not this camera's heartbeat", reason: "signed by another key" },
        ],
      },
      keyAlerts: [
        { kind: "unseen key", where: "manifest", epoch: 3, recipients: "ee".repeat(32) },
        { kind: "unseen key", where: "heartbeat", epoch: 3, recipients: "ee".repeat(32) },
        { kind: "unseen viewer", viewer: "77".repeat(20), session: "ab".repeat(16) },
        { kind: "another owner", owner: "77".repeat(20) },
        { kind: "unconfirmed", epoch: 2, since: at, removed: ["Anna"] },
        { kind: "sent late", epoch: 2, clips: ["c1"], removed: ["Anna"] },
      ],
      gone: [{ from: 7, to: 9 }],
    })
    expect(alerts).toHaveLength(19)
    for (const { says: line, advice } of alerts) {
      expect(line).toMatch(/^[a-z][^\n{}]{15,300}$/)
      expect(advice).toMatch(/^[^\n{}]{15,300}$/)
    }
    const all = alerts.map(({ says: line }) => line).join("\n")
    for (const word of [
      "gap: ",
      "fork: ",
      "two cameras: ",
      "unseen key: ",
      "lost by the cloud: ",
      "rolled back: ",
    ])
      expect(all).toContain(word)
    expect(all).toContain("Anna can open c1")
  })
})

type Receipts = typeof receipts

describe("a cloud that signed for something", () => {
  const [camera, cloud] = [newKey(), newKey()]
  /** Three manifests of one object each. */
  const manifests: TestManifest[] = []
  for (const sequence of [0, 1, 2]) {
    const previous = manifests.at(-1)?.hash ?? "0".repeat(64)
    manifests.push(manifestOf(camera, [randomObject(100)], { sequence, previous }))
  }
  const receiptFor = ({ hash, body }: TestManifest, by = cloud, device = camera.id): Uint8Array =>
    sign("receipt", { device, manifest: hash, from: body.sequence, to: body.sequence }, by)
  const shown = (some: readonly TestManifest[]) =>
    readChain(
      some.map(({ envelope }) => envelope),
      camera,
    )

  function convicts({ goneOf }: Receipts = receipts): void {
    const kept = manifests.map((each) => receiptFor(each))
    expect(goneOf(kept, shown(manifests).links)).toEqual([])
    expect(goneOf([...kept, ...kept], shown(manifests.slice(0, 1)).links)).toEqual([
      { from: 1, to: 1 },
      { from: 2, to: 2 },
    ])
  }

  test("and shows nothing of it, is held to its word, for the end of a chain too", () => convicts())

  test("is asked for what it lost by resend", () => {
    const tail = { alerts: [], silentSince: null, seen: NOTHING_SEEN }
    expect(
      missingIn(QUIET.view, tail, [
        { from: 1, to: 1 },
        { from: 2, to: 2 },
      ]),
    ).toEqual([{ from: 1, to: 2 }])
  })

  function believesTheCloudAlone({ readReceipt }: Receipts = receipts): void {
    const [first] = manifests
    if (!first) throw new Error("no manifest")
    expect(readReceipt(receiptFor(first), camera.id, cloud)).toMatchObject({ manifest: first.hash })
    const stranger = newKey()
    for (const envelope of [
      receiptFor(first, stranger),
      receiptFor(first, cloud, stranger.id),
      first.envelope,
      Buffer.from("{}"),
      new Uint8Array(70_000),
    ])
      expect(readReceipt(envelope, camera.id, cloud)).toBeNull()
  }

  test("is convicted by its own signature alone, for this camera", () => believesTheCloudAlone())

  test.each([
    ["does not compare", convicts, "!shown.has(receipt.manifest)", "shown.has(receipt.manifest)"],
    [
      "takes receipts for any camera",
      believesTheCloudAlone,
      "receipt.device === device ? receipt : null",
      "receipt",
    ],
  ])("an owner who %s is found out", async (_what, check, from, to) => {
    const path = "harness/owner/receipts.ts"
    const bent = await mutant<Receipts>(path, { path, from, to })
    expect(() => check(bent)).toThrow("expected")
  })
})

describe("the note in a thumbnail", () => {
  const box = (type: string, body: Uint8Array) => {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(8 + body.length)
    head.write(type, 4, "latin1")
    return Buffer.concat([head, body])
  }
  const note = {
    clip: "c1".repeat(16),
    trigger: "motion",
    startedAt: { at: 1, uncertainty: null },
    label: "person",
    by: "vote",
  }
  const padded = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(20)])

  test("is read from the padding at its end", () => {
    const thumbnail = Buffer.concat([box("mdat", Buffer.alloc(9)), box("free", padded(JSON.stringify(note)))])
    expect(noteOf(thumbnail)).toEqual(note)
  })

  test("is missing in what older cameras sealed", () => {
    for (const bytes of [box("mdat", Buffer.alloc(9)), box("free", Buffer.alloc(9)), new Uint8Array()])
      expect(noteOf(bytes)).toBeNull()
  })

  test.each([
    ["boxes that do not fit", Buffer.concat([box("free", Buffer.alloc(9)), Buffer.from([0, 0, 0])])],
    ["a box of no size", Buffer.alloc(16)],
    ["no JSON", box("free", padded("hello"))],
    ["another shape", box("free", padded(JSON.stringify({ ...note, label: "tree" })))],
    ["a key twice", box("free", padded('{"clip":1,"clip":2}'))],
    ["a note without end", box("free", Buffer.alloc(5_000, 0x20))],
  ])("with %s is refused", (_what, bytes) => {
    expect(() => noteOf(bytes)).toThrow()
  })
})
