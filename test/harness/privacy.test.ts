import { randomBytes } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, describe, expect, test, vi } from "vitest"
import type { CameraConfigInput } from "../../firmware/config.ts"
import { sha256Hex } from "../../firmware/control/keys.ts"
import type { PlainObject, SealedObject } from "../../firmware/delivery/sealer.ts"
import type { Dialler } from "../../firmware/ports.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import type { Home } from "./home.ts"

const CANARY = "canary-in-every-key-frame"

afterEach(() => {
  vi.doUnmock("../../firmware/delivery/sealer.ts")
  vi.resetModules()
})

/** Everything one clip of one camera leaves anywhere outside its memory. */
interface Traces {
  readonly wire: Buffer
  readonly disk: Buffer
  readonly bucket: Buffer
  readonly log: Buffer
}

/** `openHome` as freshly imported, so that what a test has mocked is what runs. */
async function leaveTraces(
  openHome: typeof import("./home.ts").openHome,
  config: CameraConfigInput = {},
): Promise<Traces> {
  const home: Home = await openHome({ config: { recording: { preRoll: 1_000, postRoll: 300 }, ...config } })
  const wire: Buffer[] = []
  try {
    await home.pair()
    const tapped = await openHome({
      cloud: home.cloud,
      keys: home.keys,
      config: {
        recording: { preRoll: 1_000, postRoll: 300 },
        spool: { keepReceivedBytes: 2 ** 30 },
        ...config,
      },
      board: {
        disk: home.board.disk,
        canary: CANARY,
        dialler: tap(networkDialler(`mqtt://127.0.0.1:${home.cloud.port}`), wire),
      },
    })
    const stop = tapped.run()
    await tapped.line(({ event }) => event === "connected")
    await tapped.board.clock.sleep(1_100)
    tapped.visitor.moves(true)
    await tapped.line(({ event }) => event === "object sealed")
    tapped.visitor.moves(false)
    await tapped.line(({ event }) => event === "clip recorded")
    await tapped.line((line) => line.event === "received" && line.to >= 3)
    await stop()
    const names = await tapped.board.disk.list("")
    const disk = await Promise.all(
      names.map(async ({ name }) => (await tapped.board.disk.get(name)) ?? new Uint8Array()),
    )
    await tapped.close()
    return {
      wire: Buffer.concat(wire),
      disk: Buffer.concat(disk),
      bucket: folderBytes(join(home.directory, "bucket")),
      log: Buffer.from(JSON.stringify([...home.lines, ...tapped.lines])),
    }
  } finally {
    await home.close()
  }
}

/** Where plain media shows: the canary in any common spelling, or the boxes of an MP4. */
function plainIn(traces: Traces): string[] {
  const canary = Buffer.from(CANARY)
  const forms = [
    canary,
    ...(["hex", "base64", "base64url"] as const).map((form) => Buffer.from(canary.toString(form))),
  ]
  const boxes = ["moofmfhd", "mdat"].map((name) => Buffer.from(name))
  return Object.entries(traces).flatMap(([where, bytes]: [string, Buffer]) => [
    ...forms.filter((form) => bytes.includes(form)).map(() => `canary on the ${where}`),
    ...(bytes.includes(Buffer.from("avc1")) && boxes.some((box) => bytes.includes(box))
      ? [`an MP4 on the ${where}`]
      : []),
  ])
}

describe("media in plain", () => {
  test("are nowhere but in the camera's memory: not on the wire, the disk, in the bucket or the log", async () => {
    const { openHome } = await import("./home.ts")
    const traces = await leaveTraces(openHome)
    expect(traces.wire.length).toBeGreaterThan(200_000)
    expect(traces.disk.length).toBeGreaterThan(200_000)
    expect(traces.bucket.length).toBeGreaterThan(200_000)
    expect(plainIn(traces)).toEqual([])
  }, 30_000)

  test("would be found: on a camera whose sealer was replaced, the same check fails", async () => {
    vi.resetModules()
    vi.doMock("../../firmware/delivery/sealer.ts", () => ({ sealFor: () => pretendToSeal }))
    const { openHome } = await import("./home.ts")
    const found = new Set(plainIn(await leaveTraces(openHome)))
    expect(found).toContain("canary on the wire")
    expect(found).toContain("canary on the disk")
    expect(found).toContain("canary on the bucket")
    expect(found).toContain("an MP4 on the wire")
  }, 30_000)

  test("cannot be asked for: a field that would turn sealing off is refused, wherever it stands", async () => {
    const { parseConfig } = await import("../../firmware/config.ts")
    const { isFault } = await import("../../firmware/errors.ts")
    const word = fc.constantFrom(
      "seal",
      "sealing",
      "plain",
      "encrypt",
      "encryption",
      "recipients",
      "debug",
      "padding",
      "unsafe",
    )
    const value = fc.oneof(
      fc.boolean(),
      fc.constant("none"),
      fc.constant("off"),
      fc.constant(null),
      fc.constant(0),
    )
    fc.assert(
      fc.property(
        word,
        value,
        fc.constantFrom("", "spool", "recording", "link", "lens", "pins"),
        (name, given, section) => {
          try {
            parseConfig(section ? { [section]: { [name]: given } } : { [name]: given })
            return false
          } catch (error) {
            return isFault(error, "usage")
          }
        },
      ),
    )
  })
})

/** The historical mistake: the plaintext itself, under facts that the cloud accepts. */
async function pretendToSeal(plain: PlainObject): Promise<SealedObject> {
  const header = Buffer.from("-")
  const facts = {
    id: randomBytes(16).toString("hex"),
    kind: plain.kind,
    clip: plain.clip,
    index: plain.index,
    last: plain.last,
    headerBytes: header.length,
    payloadBytes: plain.bytes.length,
    headerHash: sha256Hex(header),
    payloadHash: sha256Hex(plain.bytes),
    commit: "00".repeat(32),
  }
  const parts = [header, plain.bytes]
  return { facts, epoch: 1, recipients: "00".repeat(32), parts } as unknown as SealedObject
}

function tap(dialler: Dialler, into: Buffer[]): Dialler {
  return {
    async dial(pin, signal) {
      const connection = await dialler.dial(pin, signal)
      const { stream } = connection
      const write = stream._write.bind(stream)
      stream._write = (chunk: Buffer, encoding, done) => {
        into.push(Buffer.from(chunk))
        write(chunk, encoding, done)
      }
      const writev = stream._writev?.bind(stream)
      if (writev)
        stream._writev = (chunks, done) => {
          for (const { chunk } of chunks) into.push(Buffer.from(chunk as Buffer))
          writev(chunks, done)
        }
      return connection
    },
  }
}

function folderBytes(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))))
}
