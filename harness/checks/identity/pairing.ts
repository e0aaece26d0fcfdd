import { randomBytes } from "node:crypto"
import { parseConfig } from "../../../firmware/config.ts"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { OwnershipFile } from "../../../firmware/control/ownership.ts"
import { pairWith } from "../../../firmware/control/pair-camera.ts"
import {
  FAILURES_MAX,
  newSetupCode,
  PAIRING_WITHIN,
  PairingTranscript,
  type SetupCode,
} from "../../../firmware/control/pairing.ts"
import { pairingTopic } from "../../../firmware/control/protocol.ts"
import { isFault } from "../../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { OwnerKeys } from "../../owner/keys.ts"
import { time } from "../../virtual/install.ts"
import { type Run, Tries } from "../check.ts"
import { type BenchCamera, benchCamera } from "../worlds/bench-camera.ts"
import { ScriptedBroker } from "../worlds/scripted-broker.ts"

const BROKER = { name: "cloud.example", pin: null }

type Answer = (hello: Buffer, transcript: PairingTranscript) => readonly Uint8Array[]

export const checks = {
  "transcript-authenticated": async () => {
    const tries = new Tries()
    const [code, other] = [newSetupCode(BROKER), newSetupCode(BROKER)]
    const [camera, owner, stranger] = [code, code, other].map((each) => new PairingTranscript(each))
    if (!camera || !owner || !stranger) throw new Error("three transcripts")
    const key = signingKeyOf(randomBytes(32))
    const hello = camera.hello(key.id, key.hex)
    const record = await recordFor(key.id)
    const offer = owner.offer(hello, record)
    const answer = camera.answer(offer)
    const opened = [owner.openHello(hello).key, camera.openOffer(offer, hello).owner]
    owner.openAnswer(answer, offer)
    tries.is(opened, [key.hex, record.owner], "an honest pairing")
    const wrong: readonly [string, () => unknown][] = [
      ["another's hello", () => owner.openHello(stranger.hello(key.id, key.hex))],
      ["another's offer", () => camera.openOffer(stranger.offer(hello, record), hello)],
      ["another's answer", () => owner.openAnswer(stranger.answer(offer), offer)],
      [
        "an offer for another hello",
        () => camera.openOffer(owner.offer(camera.hello(key.id, key.hex), record), hello),
      ],
      [
        "an answer to another offer",
        () => owner.openAnswer(camera.answer(owner.offer(hello, { ...record, logKey: key.hex })), offer),
      ],
      ["a hello reflected as an offer", () => camera.openOffer(hello, hello)],
      ["an answer for a hello", () => owner.openHello(answer)],
    ]
    for (const [what, open] of wrong) tries.is(takes(open), false, `${what}, taken`)
    for (const [message, open] of [
      [hello, (bytes: Uint8Array) => owner.openHello(bytes)],
      [offer, (bytes: Uint8Array) => camera.openOffer(bytes, hello)],
      [answer, (bytes: Uint8Array) => owner.openAnswer(bytes, offer)],
    ] as const)
      for (let at = 0; at < message.length; at += 7) {
        const bent = Uint8Array.from(message)
        bent[at] = (bent[at] ?? 0) ^ 1
        tries.is(
          takes(() => open(bent)),
          false,
          "a message with one bit changed, taken",
        )
      }
    return tries
  },

  "setup-text-dies": async () => {
    const tries = new Tries()
    const nothing: Answer = () => []
    const wrong =
      (count: number): Answer =>
      () =>
        Array.from({ length: count }, () => randomBytes(40))
    const right = async ({ identity }: BenchCamera, before: Answer = nothing): Promise<Answer> => {
      const record = await recordFor(identity.device)
      return (hello, transcript) => [...before(hello, transcript), transcript.offer(hello, record)]
    }
    const tolerant = await benchCamera()
    const four = await press(tolerant, newSetupCode(BROKER), await right(tolerant, wrong(FAILURES_MAX - 1)))
    tries.is(four, "paired", "four wrong offers and then the owner's")
    const camera = await benchCamera()
    const five = await press(camera, newSetupCode(BROKER), await right(camera, wrong(FAILURES_MAX)))
    tries.is(five, "too many wrong offers", "five wrong offers and then the owner's")
    const late = await press(camera, newSetupCode(BROKER), nothing, PAIRING_WITHIN)
    tries.is(late, "too late", "nobody answers for fifteen minutes")
    for (const first of [wrong(FAILURES_MAX), nothing, await right(camera)]) {
      const code = newSetupCode(BROKER)
      await press(camera, code, first)
      const restarted = await benchCamera(camera.disk)
      for (const each of [camera, restarted])
        tries.is(
          await press(each, code, await right(each)),
          "this setup text was used before",
          "a spent setup text",
        )
    }
    return tries
  },
} satisfies Readonly<Record<string, Run>>

async function recordFor(device: string) {
  const keys = await OwnerKeys.create()
  return {
    owner: keys.signingKeyFor(device).hex,
    broker: BROKER,
    receiptKey: signingKeyOf(randomBytes(32)).hex,
    logKey: signingKeyOf(randomBytes(32)).hex,
    recipients: Buffer.from(keys.recipientsFor(device, 1)).toString("base64"),
  }
}

function takes(open: () => unknown): boolean {
  try {
    open()
    return true
  } catch (error) {
    if (isFault(error)) return false
    throw error
  }
}

/** One press of the button, with `code` shown; to the first hello the owner's side says what `answer` makes of it. */
async function press(
  { clock, disk, log, identity }: BenchCamera,
  code: SetupCode,
  answer: Answer,
  within: Milliseconds = seconds(10),
): Promise<string> {
  const broker = new ScriptedBroker()
  const transcript = new PairingTranscript(code)
  let answered = false
  broker.onPublish = (topic, payload) => {
    if (answered || !topic.endsWith("/hello")) return
    answered = true
    for (const offer of answer(payload, transcript))
      broker.say(pairingTopic(transcript.rendezvous, "offer"), offer)
  }
  const board = { clock, disk, log, random: seededRandom(1), dialler: broker.dialler }
  const abort = new AbortController()
  const file = new OwnershipFile(disk, identity)
  let outcome = "waiting"
  const running = pairWith(code, board, parseConfig().link, identity, file, abort.signal).then((result) => {
    outcome = result.ok ? "paired" : result.reason
  })
  await time.advance(within)
  const result = outcome
  abort.abort()
  await time.settle(running, seconds(60))
  return result
}
