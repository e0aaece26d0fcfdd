import fc from "fast-check"
import { expect, test } from "vitest"
import {
  newSetupCode,
  PairingTranscript,
  parseSetupText,
  setupText,
} from "../../../firmware/control/pairing.ts"
import { isFault } from "../../../firmware/errors.ts"

const broker = { name: "cloud.example", pin: "ab".repeat(32) }
const code = newSetupCode(broker)
const record = {
  owner: "11".repeat(32),
  broker,
  receiptKey: "22".repeat(32),
  logKey: "33".repeat(32),
  recipients: "",
}
const device = "44".repeat(20)
const camera = new PairingTranscript(code)
const owner = new PairingTranscript(parseSetupText(setupText(code)))

test("both sides come to the same rendezvous from the text alone, and believe each other", () => {
  const hello = camera.hello(device, "55".repeat(32))
  expect(owner.rendezvous).toBe(camera.rendezvous)
  expect(owner.openHello(hello).device).toBe(device)
  const offer = owner.offer(hello, record)
  expect(camera.openOffer(offer, hello)).toEqual(record)
  expect(() => owner.openAnswer(camera.answer(offer), offer)).not.toThrow()
})

test("a cloud that does not know the secret can neither make, alter, reflect nor replay a message", () => {
  const stranger = new PairingTranscript(newSetupCode(broker))
  const hello = camera.hello(device, "55".repeat(32))
  const again = camera.hello(device, "55".repeat(32))
  const offer = owner.offer(hello, record)
  expect(() => camera.openOffer(stranger.offer(hello, record), hello)).toThrow(
    "not made with this setup text",
  )
  expect(() => camera.openOffer(offer, again)).toThrow("another camera's hello")
  expect(() => camera.openOffer(hello, hello)).toThrow("not made with this setup text")
  expect(() => owner.openHello(offer)).toThrow("not made with this setup text")
  expect(() => owner.openAnswer(camera.answer(owner.offer(again, record)), offer)).toThrow("another offer")
  const altered = JSON.parse(Buffer.from(offer).toString())
  const body = JSON.parse(Buffer.from(altered.body, "base64").toString())
  altered.body = Buffer.from(JSON.stringify({ ...body, owner: "66".repeat(32) })).toString("base64")
  expect(() => camera.openOffer(Buffer.from(JSON.stringify(altered)), hello)).toThrow(
    "not made with this setup text",
  )
})

test("garbage at the rendezvous is refused, never a crash", () => {
  const hello = camera.hello(device, "55".repeat(32))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        camera.openOffer(bytes, hello)
        return false
      } catch (error) {
        return isFault(error, "malformed") || isFault(error, "tampered")
      }
    }),
  )
})

test("a setup text fits QR's alphanumeric mode and survives being copied with spaces around it", () => {
  expect(setupText(code)).toMatch(/^[0-9A-Z $%*+\-./:]+$/)
  expect(parseSetupText(`  ${setupText(code)}\n`)).toEqual({ secret: Buffer.from(code.secret), broker })
})

test.each(["", "hello", "OBSCURA:1:00:-:x", "OBSCURA:2:…", `${setupText(code)}:more words`])(
  "%j is no setup text, and the refusal does not repeat it",
  (text) => {
    expect(() => parseSetupText(text)).toThrow("this is no obscura setup text")
  },
)

test("two codes never share a secret or a rendezvous", () => {
  const all = Array.from({ length: 50 }, () => new PairingTranscript(newSetupCode(broker)).rendezvous)
  expect(new Set(all).size).toBe(50)
})
