import { randomBytes } from "node:crypto"
import { sign, unverified } from "../../firmware/control/dsse.ts"
import { type SigningKey, sha256Hex, signingKeyOf } from "../../firmware/control/keys.ts"
import {
  decodeChunk,
  deviceTopic,
  encodeHave,
  isObjectEntry,
  liveTopic,
  manifestShape,
} from "../../firmware/control/protocol.ts"
import { seconds } from "../../firmware/units.ts"
import { sleep } from "../../simulator/sleep.ts"
import { Tries } from "../checks/check.ts"
import { grantFor, privacyOff, renewalOf } from "../owner/grants.ts"
import { LiveLook } from "../owner/live-look.ts"
import { within } from "./guest.ts"
import type { Home } from "./home.ts"
import { RogueBroker, type Said } from "./rogue-broker.ts"
import { plainIn } from "./sealed-objects.ts"
import { serverKeys } from "./server-secrets.ts"
import { forgedGrant, framesIn, lastBeat, picturesIn } from "./unlent.ts"
import type { Insider, World } from "./world.ts"

/** Of the host everything: broker, keys, what goes by, what is said to cameras, and grants that guests once showed. */
export const supportHost: Insider = {
  name: "taken-over support host",
  has: "the broker itself, all server keys, every message, grants that others have shown",
  attempts: {
    C13: {
      when: "during",
      run: (world, signal) =>
        ledAway(world, world.homes[3], signal, async (home, rogue, tries) => {
          const keys = [signingKeyOf(randomBytes(32)), ...(await serverKeys(world.holdings.keyFile))]
          const asks = keys.flatMap((key) => asksOf(world, home, key))
          for (const { ask, viewer } of asks) {
            const before = rogue.heard.length
            await rogue.say(deviceTopic(home.camera.id, "view"), ask)
            const frames = await framesFor(rogue, home, viewer, before, signal)
            tries.holds(frames === 0, `${frames} frames by a grant that its owner never made out to them`)
            tries.leaks({ frames: picturesIn(rogue.heard.slice(before)) })
          }
        }),
    },
    C15: {
      when: "during",
      run: (world, signal) =>
        ledAway(world, world.homes[3], signal, async (home, rogue, tries) => {
          const [key = signingKeyOf(randomBytes(32))] = await serverKeys(world.holdings.keyFile)
          for (const word of askingForPlain(home, key)) {
            const mark = home.mark
            await rogue.say(deviceTopic(home.camera.id, "command"), word)
            const line = await home
              .line("an answer", ({ event }) => event === "command", within(seconds(5), signal).signal, mark)
              .catch(() => null)
            const refused = line?.event === "command" && line.result === "refused"
            tries.holds(
              refused,
              line ? "a request for plain media was done" : "a request for plain media left no line",
            )
          }
          // And what it sends then.
          for (const { topic, payload } of await uploadTo(home, rogue, signal)) {
            if (!topic.endsWith("/chunk")) continue
            const { offset, data } = decodeChunk(payload)
            if (offset === 0) tries.holds(plainIn(data) === null, `an object on its way ${plainIn(data)}`)
            else tries.holds(!Buffer.from(data).includes(home.canary), "the canary in a chunk")
          }
        }),
    },
  },
}

/** A home, the last one if that is not there, led to a broker of theirs and back. */
export async function ledAway(
  world: World,
  chosen: Home | undefined,
  signal: AbortSignal,
  work: (home: Home, rogue: RogueBroker, tries: Tries) => Promise<void>,
): Promise<Tries> {
  const tries = new Tries()
  const home = chosen ?? world.homes.at(-1)
  if (!home) throw new Error("a world without homes")
  await home.alone(async () => {
    const rogue = await RogueBroker.open()
    try {
      home.wire.leadTo(rogue.dialler)
      await rogue.until(home.camera.id, signal)
      while (!rogue.heard.some(({ topic }) => topic.endsWith("/beat")) && !signal.aborted)
        await sleep(20, signal)
      await work(home, rogue, tries)
    } finally {
      const mark = home.mark
      home.wire.leadTo(null)
      await rogue.close()
      await home.line("its own broker", ({ event }) => event === "connected", signal, mark)
    }
  })
  return tries
}

function asksOf(
  { homes }: World,
  home: Home,
  key: SigningKey,
): readonly { ask: Uint8Array; viewer: SigningKey }[] {
  const { camera, owner } = home
  const beat = lastBeat(home)
  const guest = signingKeyOf(randomBytes(32))
  const neighbour = homes[0]?.owner ?? owner
  const lent = grantFor({ device: camera.id, receiver: guest, reason: "for a guest", beat }, owner)
  const elsewhere = grantFor(
    { device: homes[0]?.camera.id ?? "", receiver: key, reason: "another camera", beat },
    neighbour,
  )
  const grants = [
    forgedGrant(camera.id, { owner: key, receiver: key, by: key, beat }),
    forgedGrant(camera.id, { owner, receiver: key, by: key, beat }),
    forgedGrant(camera.id, { owner: neighbour, receiver: key, by: neighbour, beat }),
    withBody(lent, { receiver: key.hex }),
    // By the owner, for somebody else.
    lent,
    elsewhere,
  ]
  return grants.map((grant) => ({ ask: new LiveLook(camera, key, grant).ask, viewer: key }))
}

/** The owner's envelope with other words under its signature. */
function withBody(envelope: Uint8Array, change: object): Uint8Array {
  const parsed = JSON.parse(Buffer.from(envelope).toString())
  const body = { ...JSON.parse(Buffer.from(parsed.payload, "base64").toString()), ...change }
  return Buffer.from(
    JSON.stringify({ ...parsed, payload: Buffer.from(JSON.stringify(body)).toString("base64") }),
  )
}

/** Until the camera has answered, and a moment longer: pictures come at once. */
async function framesFor(
  rogue: RogueBroker,
  { camera }: Home,
  viewer: SigningKey,
  from: number,
  signal: AbortSignal,
): Promise<number> {
  const topic = liveTopic(camera.id, viewer.id)
  const late = within(seconds(1), signal).signal
  const heard = () => rogue.heard.slice(from).filter((said) => said.topic === topic)
  while (heard().length === 0 && !late.aborted) await sleep(10, late)
  if (framesIn(heard()) > 0) await sleep(300, signal)
  return framesIn(heard())
}

function askingForPlain({ camera, keys }: Home, key: SigningKey): readonly Uint8Array[] {
  const text = (value: unknown) => Buffer.from(JSON.stringify(value))
  const ours = "age1".padEnd(62, "q")
  const device = camera.id
  const recipients = sign("recipients", { device, epoch: 9, keys: [ours] }, key)
  return [
    text({ seal: false }),
    text({ command: "set", encryption: "none" }),
    text({ payloadType: "application/vnd.obscura.plain.v1+json", payload: "e30=", signatures: [] }),
    recipients,
    sign("recipients", { device, epoch: 9, keys: [""] }, keys.signingKeyFor(device)),
    sign("recipients", { device, epoch: 9, keys: [] }, keys.signingKeyFor(device)),
    sign("resend", { device, nonce: "1".repeat(32), from: 0, to: 9, plain: true }, key),
    sign(
      "resend",
      { device, nonce: "2".repeat(32), from: 0, to: 9, plain: true },
      keys.signingKeyFor(device),
    ),
    privacyOff(device, "3".repeat(32), key),
    renewalOf(recipients, device, { boot: "0".repeat(32), number: 0, nonce: "0".repeat(32) }, key),
  ]
}

/** Somebody walks by, and the rogue broker asks for all that its camera would upload. */
async function uploadTo(home: Home, rogue: RogueBroker, signal: AbortSignal): Promise<readonly Said[]> {
  const from = rogue.heard.length
  const have = (said: Said) => {
    if (!said.topic.endsWith("/manifest")) return
    const body = unverified(said.payload, manifestShape)
    const held = body?.entries.filter(isObjectEntry).map(() => 0) ?? []
    void rogue.say(
      deviceTopic(home.camera.id, "have"),
      encodeHave({ manifest: sha256Hex(said.payload), held }),
    )
  }
  rogue.onSaid = have
  const mark = home.mark
  home.visitor.moves(true)
  await home.line("a sealed object", ({ event }) => event === "object sealed", signal, mark)
  home.visitor.moves(false)
  const late = within(seconds(6), signal).signal
  const chunks = () => rogue.heard.slice(from).filter(({ topic }) => topic.endsWith("/chunk"))
  while (chunks().length < 4 && !late.aborted) await sleep(50, late)
  rogue.onSaid = () => undefined
  return rogue.heard.slice(from)
}
