import { randomBytes } from "node:crypto"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { parseConfig } from "../../../firmware/config.ts"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { Link } from "../../../firmware/control/link.ts"
import { minutes } from "../../../firmware/units.ts"
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

const config = parseConfig({ link: { resendAfter: 15_000, retryFirst: 1_000, retryMax: 1_000 } }).link

async function connected(TheLink: typeof Link = Link) {
  const broker = new ScriptedBroker()
  const log = { write: () => undefined }
  const parts = { clock: virtualClock(), random: seededRandom(1), dialler: broker.dialler, log }
  const link = new TheLink(parts, config, {
    role: "camera",
    key: signingKeyOf(randomBytes(32)),
    broker: { name: "test", pin: null },
    subscriptions: ["obscura/test"],
  })
  const stop = new AbortController()
  const running = link.run(stop.signal)
  await link.whenConnected(stop.signal)
  const end = () => {
    stop.abort()
    return running
  }
  return { broker, link, end }
}

/** A broker that takes messages and acknowledges none, until there is another connection. */
async function givesUpOnSilence(TheLink?: typeof Link): Promise<void> {
  const { broker, link, end } = await connected(TheLink)
  broker.acknowledges = false
  let outcome = "waiting"
  const published = link.publish("obscura/test", Buffer.from("hello")).then(
    () => {
      outcome = "acknowledged"
    },
    (error: { kind: string; definite: boolean }) => {
      outcome = `${error.kind}, ${error.definite ? "definite" : "indefinite"}`
    },
  )
  // Not before it is late, and at the second look at the latest.
  await vi.advanceTimersByTimeAsync(config.resendAfter)
  const inTime = outcome
  await vi.advanceTimersByTimeAsync(config.resendAfter + 1_000)
  const late = outcome
  broker.acknowledges = true
  await vi.advanceTimersByTimeAsync(5_000)
  const { connections } = broker
  const works = await Promise.race([
    link.publish("obscura/test", Buffer.from("again")).then(() => true),
    vi.advanceTimersByTimeAsync(5_000).then(() => false),
  ])
  await end()
  await published
  expect([inTime, late]).toEqual(["waiting", "unavailable, indefinite"])
  expect([connections, works]).toEqual([2, true])
}

test("a broker that does not acknowledge within resendAfter is left, and dialled anew", () =>
  givesUpOnSilence())

test("a link that waits for ever is found out", async () => {
  const path = "firmware/control/link.ts"
  const from = "if (since !== null && clock.monotonic() - since > this.#config.resendAfter) connection.end()"
  const bent = await mutant<{ Link: typeof Link }>(path, { path, from, to: "void since" })
  await expect(givesUpOnSilence(bent.Link)).rejects.toThrow("expected [ 'waiting', 'waiting' ]")
})

test("a broker that acknowledges is kept, however quiet the line and however many the messages", async () => {
  const { broker, link, end } = await connected()
  for (let rounds = 0; rounds < 20; rounds++) {
    await link.publish("obscura/test", Buffer.from("hello"))
    await vi.advanceTimersByTimeAsync(minutes(1))
  }
  await end()
  expect(broker.connections).toBe(1)
})
