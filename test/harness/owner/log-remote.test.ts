import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { connectAsync } from "mqtt"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { parseConfig } from "../../../firmware/config.ts"
import { deviceTopic } from "../../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import { processClock } from "../../../hardware/clock.ts"
import { networkDialler } from "../../../hardware/dialler.ts"
import { platformRandom } from "../../../hardware/random.ts"
import * as accesses from "../../../harness/cloud/access.ts"
import { CLOUD_NAME } from "../../../harness/cloud/keys.ts"
import { AccessLog } from "../../../harness/cloud/log/access-log.ts"
import { LogDesk } from "../../../harness/cloud/log/log-desk.ts"
import { decodeAnswer, encodeQuestion } from "../../../harness/cloud/log/log-messages.ts"
import * as lendings from "../../../harness/commands/owner-lend.ts"
import { grantFor } from "../../../harness/owner/grants.ts"
import { RemoteLog } from "../../../harness/owner/log-link.ts"
import { LogQuestions } from "../../../harness/owner/log-questions.ts"
import { mutant } from "../../mutants.ts"
import { newKey, password } from "../cloud/camera.ts"
import { owner } from "./run-command.ts"
import { runMain } from "./run-main.ts"
import { type Owner, type TwoOwners, twoOwners } from "./two-owners.ts"

let world: TwoOwners
beforeAll(async () => {
  world = await twoOwners()
})
afterAll(() => world.close())

const far = (which: Owner) => ["--home", which.home, "--broker", world.url, "--wait", "10"]

describe("obscura owner log --broker", () => {
  test("shows an owner who has no folder of the cloud's their own records, proven", async () => {
    const { code, output } = await owner("log", ...far(world.other))
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringContaining(`camera ${world.other.camera.id}: 1 record, proven`),
    })
    expect(output).not.toContain(world.one.camera.id)
  })

  test("tells of a grant that was lent, which the cloud recorded before it was handed out", async () => {
    const out = join(world.folder, "lent.json")
    const terms = ["--to", newKey().hex, "--reason", "the parcel", "--seconds", "1", "--out", out]
    await owner("lend", world.other.camera.id, ...far(world.other), ...terms)
    expect(await world.other.folder.kept("grants", world.other.camera.id)).toHaveLength(1)
    const { code, output } = await owner("log", ...far(world.other))
    expect([code, output]).toEqual([
      0,
      expect.stringMatching(/grant +owner [0-9a-f]{8} +for live view +the parcel/),
    ])
  })

  test("misses a grant that was given and is not in it", async () => {
    const { keys, camera, folder } = world.other
    const beat = { boot: "11".repeat(16), number: 0, nonce: "33".repeat(16) }
    const terms = { device: camera.id, receiver: newKey(), reason: "unseen", beat }
    await folder.keepSigned("grants", camera.id, grantFor(terms, keys.signingKeyFor(camera.id)))
    const { code, output } = await owner("log", ...far(world.other))
    expect([code, output]).toEqual([1, expect.stringMatching(/! .*not logged: grant [0-9a-f]{64}/)])
    const path = "harness/commands/owner-log-traces.ts"
    const blind = await mutant<typeof import("../../../harness/commands/owner-log-traces.ts")>(path, {
      ...{ path, from: "...grants.map(", to: "...grants.slice(grants.length).map(" },
    })
    const { LogMemory } = await import("../../../harness/owner/log-memory.ts")
    const memory = new LogMemory(join(world.other.home, "owner"))
    const bucket = join(world.one.home, "cloud", "bucket")
    const seen = await blind.tracesOf([camera], { home: world.other.home, bucket }, memory, null)
    expect(seen.some(({ trace }) => trace.startsWith("grant"))).toBe(false)
  })

  test("in one line says that nobody is there, and that the passphrase or the address is wrong", async () => {
    const away = await runMain(
      "owner",
      "log",
      "--home",
      world.other.home,
      "--broker",
      "mqtt://127.0.0.1:1",
      "--wait",
      "1",
    )
    expect([away.code > 0, away.err.trim().split("\n")]).toEqual([true, [expect.any(String)]])
    const both = await runMain("owner", "log", ...far(world.other), "--log", "/x")
    expect(both.code).toBe(2)
  })
})

/** What comes of a question of somebody's about the first owner's camera. */
async function askedBy(who: Owner | null, role: "owner" | "viewer"): Promise<"records" | "ended"> {
  const device = world.one.camera.id
  const key = who === null ? newKey() : who.keys.signingKeyFor(device)
  const client = await connectAsync(world.url, {
    ...{ protocolVersion: 4, reconnectPeriod: 0, clientId: key.id, username: role },
    password: password(key, role, CLOUD_NAME),
  })
  client.on("error", () => undefined)
  const ended = new Promise<"ended">((resolve) => client.once("close", () => resolve("ended")))
  const answered = new Promise<"records">((resolve) =>
    client.on("message", (_topic, payload) => {
      if (decodeAnswer(payload).bytes) resolve("records")
    }),
  )
  await client.subscribeAsync(deviceTopic(device, "logged"), { qos: 0 }).catch(() => undefined)
  const question = encodeQuestion({ nonce: "9".repeat(32), ask: { kind: "mailbox", from: 0 } })
  client.publish(deviceTopic(device, "log"), Buffer.from(question), { qos: 1 }, () => undefined)
  const outcome = await Promise.race([ended, answered])
  await client.endAsync(true)
  return outcome
}

describe("a camera's records", () => {
  test("are handed to its owner alone", async () => {
    expect(await askedBy(world.one, "owner")).toBe("records")
    expect(await askedBy(null, "owner")).toBe("ended")
    expect(await askedBy(world.one, "viewer")).toBe("ended")
    expect(await askedBy(world.other, "owner")).toBe("ended")
  })

  const check = ({ mayHear, publishVerdict }: typeof accesses) => {
    const [camera, keeper, stranger] = [newKey(), newKey(), newKey()]
    const owns = (key: string, device: string) => key === keeper.id && device === camera.id
    const [log, logged] = [deviceTopic(camera.id, "log"), deviceTopic(camera.id, "logged")]
    const says = (role: "camera" | "owner" | "viewer", key: typeof camera) =>
      publishVerdict({ role, key }, { topic: log, bytes: 100, retain: false, qos: 1 }, owns).to
    expect([says("owner", keeper), says("owner", stranger)]).toEqual(["log desk", "nobody"])
    expect([says("viewer", keeper), says("camera", camera)]).toEqual(["nobody", "nobody"])
    expect(mayHear({ role: "owner", key: keeper }, logged, owns)).toBe(true)
    expect(mayHear({ role: "owner", key: stranger }, logged, owns)).toBe(false)
    expect(mayHear({ role: "viewer", key: keeper }, logged, owns)).toBe(false)
    expect(mayHear({ role: "camera", key: camera }, logged, owns)).toBe(false)
  }

  test.each([
    ["whose camera", 'name === "log" && owns(session.key.id, device)', 'name === "log"'],
    ["in which role", 'session.role === "owner" && name === "log"', 'name === "log"'],
  ])("and without the question %s to anybody", async (_what, from, to) => {
    check(accesses)
    const path = "harness/cloud/access.ts"
    const bent = await mutant<typeof accesses>(path, { path, from, to })
    expect(() => check(bent)).toThrow()
  })

  test("and a desk that is sent anything else says no, and never throws or reads another file", async () => {
    const read: string[] = []
    const nothing = async () => null
    const source = {
      checkpoint: nothing,
      mailbox: async () => [],
      tile: async (path: string) => {
        read.push(path)
        return null
      },
    }
    const sent: Uint8Array[] = []
    const desk = new LogDesk({
      keeps: { source, records: null as never, publish: async () => undefined },
      ...{ owns: () => false, log: { write: () => undefined } },
      send: (_device, _name, payload) => void sent.push(payload),
    })
    const device = world.one.camera.id
    const asked = (path: string) =>
      desk.take(device, Buffer.from(JSON.stringify({ ask: { kind: "file", path }, nonce: "9".repeat(32) })))
    for (const path of [
      "../private/state",
      "tile/0/../../private/state",
      "tile/0/000/",
      "state",
      "tile/0/0001",
      "",
    ])
      expect(asked(path)).toBe("malformed")
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 6_000 }), async (bytes) => {
        expect(desk.take(device, Buffer.from(bytes))).toBe("malformed")
      }),
      { numRuns: 100 },
    )
    expect(asked("tile/0/000.p/3")).toBeNull()
    await desk.drained()
    expect([read, sent.length]).toEqual([["tile/0/000.p/3"], 1])
  })
})

describe("obscura owner lend, while the access log takes nothing", () => {
  async function lent({ ownerLendCommand }: typeof lendings): Promise<string> {
    const out = join(world.folder, `lent-${randomBytes(4).toString("hex")}.json`)
    const full = vi.spyOn(AccessLog.prototype, "append").mockRejectedValue(new Fault("full", "no room"))
    const quiet = [vi.spyOn(console, "log"), vi.spyOn(console, "error")]
    for (const spy of quiet) spy.mockImplementation(() => undefined)
    const terms = ["--to", newKey().hex, "--reason", "the parcel", "--seconds", "1", "--out", out]
    try {
      await ownerLendCommand()
        .exitOverride()
        .parseAsync([world.one.camera.id, ...far(world.one), ...terms], { from: "user" })
    } catch (error) {
      if (!isFault(error)) throw error
      return `${error.message}; ${existsSync(out) ? "handed out" : "kept"}`
    } finally {
      for (const spy of [full, ...quiet]) spy.mockRestore()
    }
    return existsSync(out) ? "handed out" : "kept"
  }

  test("hands nothing out, and says why", async () => {
    expect(await lent(lendings)).toBe("not lent: the access log takes nothing now; kept")
    const path = "harness/commands/owner-lend.ts"
    const mistake = { path, from: "      await recordLent(lending, grant, until())\n", to: "" }
    expect(await lent(await mutant<typeof lendings>(path, mistake))).toBe("handed out")
  })
})

describe("a cloud that answers what it likes", () => {
  const device = "ab".repeat(20)

  test("is heard or not, and breaks nothing", () => {
    const questions = new LogQuestions({
      ...{ device, clock: processClock(), resendAfter: 10 },
      publish: async () => undefined,
      whenConnected: async () => true,
    })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          expect(questions.hear(questions.topic, bytes)).toBe(true)
          expect(questions.hear(deviceTopic(device, "beat"), bytes)).toBe(false)
        },
      ),
    )
  })

  test("and announces records without end is not listened to", async () => {
    const answer = { nonce: "", bytes: "", more: true, refused: null }
    const endless = vi.spyOn(LogQuestions.prototype, "ask").mockResolvedValue(answer)
    const remote = new RemoteLog(new Map([[world.one.camera, newKey()]]), {
      broker: { name: "nowhere", pin: null },
      link: {
        dialler: networkDialler("mqtt://127.0.0.1:1"),
        clock: processClock(),
        random: platformRandom,
        log: { write: () => undefined },
      },
      config: parseConfig().link,
      until: () => AbortSignal.timeout(1_000),
    })
    try {
      await expect(remote.mailbox(world.one.camera.id)).rejects.toMatchObject({ kind: "malformed" })
      endless.mockResolvedValue({ ...answer, refused: "\u001b[2Jno" })
      await expect(remote.checkpoint()).rejects.toThrow("the cloud:  [2Jno")
    } finally {
      endless.mockRestore()
      await remote.close()
    }
  })
})
