import { randomBytes } from "node:crypto"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { parseConfig } from "../../../firmware/config.ts"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { OwnershipFile } from "../../../firmware/control/ownership.ts"
import { type PairingOutcome, pairWith } from "../../../firmware/control/pair-camera.ts"
import {
  FAILURES_MAX,
  newSetupCode,
  PAIRING_WITHIN,
  PairingTranscript,
  type SetupCode,
} from "../../../firmware/control/pairing.ts"
import { pairingTopic } from "../../../firmware/control/protocol.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { type Mistake, mutant } from "../../mutants.ts"
import { ScriptedBroker } from "../../scripted-broker.ts"
import { type BenchCamera, benchCamera } from "../delivery/bench-camera.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
})
afterEach(() => {
  vi.useRealTimers()
})

const PATH = "firmware/control/pair-camera.ts"
const broker = { name: "cloud.example", pin: null }
const keys = await OwnerKeys.create()
const later = (milliseconds = 10) => vi.advanceTimersByTimeAsync(milliseconds)
type Pair = typeof pairWith

/** One press of the button, with `code` shown; to each hello the owner's side says what `answer` makes of it. */
async function press(
  camera: BenchCamera,
  code: SetupCode,
  answer: (hello: Buffer, transcript: PairingTranscript) => readonly Uint8Array[],
  pair: Pair = pairWith,
  within: Milliseconds = seconds(10),
): Promise<PairingOutcome | "waiting"> {
  const { clock, disk, log, identity } = camera
  const scripted = new ScriptedBroker()
  const transcript = new PairingTranscript(code)
  let answered = false
  scripted.onPublish = (topic, payload) => {
    if (answered || !topic.endsWith("/hello")) return
    answered = true
    for (const offer of answer(payload, transcript))
      scripted.say(pairingTopic(transcript.rendezvous, "offer"), offer)
  }
  const board = { clock, disk, log, random: seededRandom(1), dialler: scripted.dialler }
  const abort = new AbortController()
  const file = new OwnershipFile(disk, identity)
  let outcome: PairingOutcome | "waiting" = "waiting"
  const running = pair(code, board, parseConfig().link, identity, file, abort.signal).then((result) => {
    outcome = result
  })
  await later(within)
  const result = outcome
  abort.abort()
  await later()
  await running
  return result
}

const nothing = () => []
const wrong = (count: number) => () => Array.from({ length: count }, () => randomBytes(40))
const right =
  ({ identity }: BenchCamera, before: readonly Uint8Array[] = []) =>
  (hello: Buffer, transcript: PairingTranscript) => [
    ...before,
    transcript.offer(hello, {
      owner: keys.signingKeyFor(identity.device).hex,
      broker,
      receiptKey: signingKeyOf(randomBytes(32)).hex,
      logKey: signingKeyOf(randomBytes(32)).hex,
      recipients: Buffer.from(keys.recipientsFor(identity.device, 1)).toString("base64"),
    }),
  ]

test("four wrong offers and then the owner's: the camera is the owner's", async () => {
  const camera = await benchCamera()
  const offers = right(camera, wrong(FAILURES_MAX - 1)())
  expect(await press(camera, newSetupCode(broker), offers)).toMatchObject({ ok: true })
})

async function endsAfterFailures(pair?: Pair): Promise<void> {
  const camera = await benchCamera()
  const outcome = await press(camera, newSetupCode(broker), right(camera, wrong(FAILURES_MAX)()), pair)
  expect(outcome).toEqual({ ok: false, reason: "too many wrong offers" })
}

test("five wrong offers end it, even if the owner's comes sixth", () => endsAfterFailures())

/** Each way in which an attempt can end, and then the same text again, also after a restart. */
async function refusesSpent(pair?: Pair): Promise<void> {
  for (const first of [wrong(FAILURES_MAX), nothing]) {
    const camera = await benchCamera()
    const code = newSetupCode(broker)
    expect(await press(camera, code, first, pair)).not.toMatchObject({ ok: true })
    const restarted = await benchCamera(camera.disk)
    for (const each of [camera, restarted])
      expect(await press(each, code, right(each), pair)).toEqual({
        ok: false,
        reason: "this setup text was used before",
      })
    expect(await press(restarted, newSetupCode(broker), right(restarted), pair)).toMatchObject({ ok: true })
  }
}

test("a setup text that was shown once is refused by the next press, and after a restart; a fresh one is taken", () =>
  refusesSpent())

test("a setup text that nobody answers is dead after fifteen minutes", async () => {
  const camera = await benchCamera()
  const code = newSetupCode(broker)
  expect(await press(camera, code, nothing, pairWith, PAIRING_WITHIN)).toEqual({
    ok: false,
    reason: "too late",
  })
})

test.each<[string, (pair: Pair) => Promise<void>, Mistake]>([
  [
    "listens on after five wrong offers",
    endsAfterFailures,
    { path: PATH, from: "failures < FAILURES_MAX &&", to: "" },
  ],
  [
    "takes a spent text again",
    refusesSpent,
    { path: "firmware/control/spent-codes.ts", from: "if (spent.includes(rendezvous)) return false", to: "" },
  ],
  [
    "forgets at a restart which texts are spent",
    refusesSpent,
    { path: "firmware/control/spent-codes.ts", from: "await this.#disk.private.put(NAME", to: "void (NAME" },
  ],
])("a camera that %s is found out", async (_what, check, mistake) => {
  const bent = await mutant<{ pairWith: Pair }>(PATH, mistake)
  await expect(check(bent.pairWith)).rejects.toThrow("expected")
})
