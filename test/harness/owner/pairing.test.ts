import { randomBytes } from "node:crypto"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { parseConfig } from "../../../firmware/config.ts"
import { type SigningKey, signingKeyOf } from "../../../firmware/control/keys.ts"
import {
  FAILURES_MAX,
  newSetupCode,
  PAIRING_WITHIN,
  PairingTranscript,
} from "../../../firmware/control/pairing.ts"
import { pairingTopic } from "../../../firmware/control/protocol.ts"
import type { CloudIdentity } from "../../../harness/cloud/keys.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { pairAsOwner } from "../../../harness/owner/pairing.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { mutant } from "../../mutants.ts"
import { ScriptedBroker } from "../../scripted-broker.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
})
afterEach(() => {
  vi.useRealTimers()
})

const later = (milliseconds = 10) => vi.advanceTimersByTimeAsync(milliseconds)
const keys = await OwnerKeys.create()
const newKey = (): SigningKey => signingKeyOf(randomBytes(32))
const cloud: CloudIdentity = {
  name: "cloud.example",
  brokerKey: null,
  receiptKey: newKey().hex,
  logKey: newKey().hex,
}
type Pair = typeof pairAsOwner

/** An owner who waits at the rendezvous, and a camera's hand there that also says wrong things. */
async function waiting(pair: Pair = pairAsOwner, code = newSetupCode({ name: cloud.name, pin: null })) {
  const broker = new ScriptedBroker()
  const transcript = new PairingTranscript(code)
  const abort = new AbortController()
  const log = { write: () => undefined }
  const parts = { clock: virtualClock(), random: seededRandom(1), dialler: broker.dialler, log }
  const paired = pair(code, keys, cloud, parts, parseConfig().link, abort.signal)
  let outcome: string | null = null
  paired.then(
    (key) => {
      outcome = key === null ? "nobody" : key.id
    },
    (error: { kind?: string }) => {
      outcome = error.kind ?? String(error)
    },
  )
  await later()
  const topic = (step: "hello" | "offer" | "answer") => pairingTopic(transcript.rendezvous, step)
  return {
    code,
    transcript,
    outcome: () => outcome,
    async say(step: "hello" | "answer", message: Uint8Array): Promise<void> {
      broker.say(topic(step), message)
      await later()
    },
    offers: () => broker.published.filter((one) => one.topic === topic("offer")).map((one) => one.payload),
    async end(): Promise<string | null> {
      abort.abort()
      await later()
      return outcome
    },
  }
}

async function answersTheNewest(pair?: Pair): Promise<void> {
  const one = await waiting(pair)
  const camera = newKey()
  const hellos = [0, 1].map(() => one.transcript.hello(camera.id, camera.hex))
  for (const hello of hellos) {
    await one.say("hello", hello)
    const offer = one.offers().at(-1) ?? Buffer.alloc(0)
    expect(() => one.transcript.openOffer(offer, hello)).not.toThrow()
  }
  await one.say("answer", one.transcript.answer(one.offers().at(-1) ?? Buffer.alloc(0)))
  expect(await one.end()).toBe(camera.id)
}

test("a camera that starts anew, and says a new hello, is offered an answer to that one", () =>
  answersTheNewest())

async function looksAtTheKey(pair?: Pair): Promise<void> {
  const one = await waiting(pair)
  const [camera, other] = [newKey(), newKey()]
  await one.say("hello", one.transcript.hello(other.id, camera.hex))
  expect(one.offers()).toEqual([])
  await one.end()
}

test("a device that is not the hash of its key is offered nothing", () => looksAtTheKey())

async function refusesUsed(pair: Pair = pairAsOwner): Promise<void> {
  const camera = newKey()
  for (const succeeds of [true, false]) {
    const one = await waiting(pair)
    if (succeeds) {
      await one.say("hello", one.transcript.hello(camera.id, camera.hex))
      await one.say("answer", one.transcript.answer(one.offers().at(-1) ?? Buffer.alloc(0)))
    }
    expect(await one.end()).toBe(succeeds ? camera.id : "nobody")
    expect(await (await waiting(pair, one.code)).end()).toBe("usage")
  }
}

test("a code that was used, with success or without, is refused when it is seen again", () => refusesUsed())

async function endsAfterFailures(pair?: Pair): Promise<void> {
  for (const failures of [FAILURES_MAX, FAILURES_MAX - 1]) {
    const one = await waiting(pair)
    const stranger = new PairingTranscript(newSetupCode({ name: cloud.name, pin: null }))
    const camera = newKey()
    for (let count = 0; count < failures; count++)
      await one.say("hello", count % 2 ? randomBytes(50) : stranger.hello(camera.id, camera.hex))
    await one.say("hello", one.transcript.hello(camera.id, camera.hex))
    await one.say("answer", one.transcript.answer(one.offers().at(-1) ?? Buffer.alloc(0)))
    expect(one.outcome()).toBe(failures === FAILURES_MAX ? "refused" : camera.id)
    await one.end()
  }
}

test("five messages that were not made with the code end it on the owner's side too", () =>
  endsAfterFailures())

async function endsInTime(pair?: Pair): Promise<void> {
  const one = await waiting(pair)
  await later(PAIRING_WITHIN - 1_000)
  const before = one.outcome()
  await later(1_000)
  expect([before, one.outcome()]).toEqual([null, "nobody"])
}

test("a code that nobody answers is dead after fifteen minutes", () => endsInTime())

test.each([
  ["offers only once", answersTheNewest, "!(offer && payload.equals(offer.hello))", "!offer"],
  ["takes any device for a key", looksAtTheKey, "camera.id !== device", "false"],
  ["forgets what it used", refusesUsed, "spent.add(transcript.rendezvous)", ""],
  ["has no end of patience", endsAfterFailures, "if (++failures >= FAILURES_MAX) stop()", ""],
  ["waits for ever", endsInTime, "parts.clock.after(PAIRING_WITHIN, stop)", "() => undefined"],
])("an owner who %s is found out", async (_what, check, from, to) => {
  const path = "harness/owner/pairing.ts"
  const bent = await mutant<{ pairAsOwner: Pair }>(path, { path, from, to })
  await expect(check(bent.pairAsOwner)).rejects.toThrow(/expected|not to throw|another camera/)
})
