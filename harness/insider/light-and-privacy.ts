import { randomBytes } from "node:crypto"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { deviceTopic } from "../../firmware/control/protocol.ts"
import { seconds } from "../../firmware/units.ts"
import { sleep } from "../../simulator/sleep.ts"
import { Tries } from "../checks/check.ts"
import { privacyOff, privacyOn } from "../owner/grants.ts"
import { asOwner, look, within } from "./guest.ts"
import type { Home } from "./home.ts"
import { sendAsOwner } from "./orders.ts"
import { serverKeys } from "./server-secrets.ts"
import { lastBeat } from "./unlent.ts"
import type { World } from "./world.ts"

const PICTURES = 10

/** C12: is the light on while frames leave, and does anything that is said from afar end privacy mode? */
export async function lightAndPrivacy(world: World, home: Home, signal: AbortSignal): Promise<Tries> {
  const tries = new Tries()
  await home.alone(async () => {
    // Somebody was stopped halfway.
    if (isPrivate(home)) await leavePrivacy(world, home, signal)
    await lightWhileLooking(world, home, tries, signal)
    await lightWhileRecording(home, tries, signal)
    await privacyFromAfar(world, home, tries, signal)
    await leavePrivacy(world, home, signal)
  })
  return tries
}

/** At each packet with a picture, as somebody before the camera sees it. */
async function lightWhileLooking(world: World, home: Home, tries: Tries, signal: AbortSignal): Promise<void> {
  const topic = Buffer.from(`obscura/1/${home.camera.id}/live/`)
  let [dark, packets, looking] = [0, 0, true]
  home.wire.onSent = (chunk) => {
    if (!looking || !chunk.includes(topic)) return
    packets++
    if (!home.visitor.seesLight) dark++
  }
  await asOwner(world, home, async (lending) => {
    const key = signingKeyOf(randomBytes(32))
    const grant = await lending.lend(key, `is the gate open, ${freshNonce()}`, signal)
    if (!grant) return
    const until = within(seconds(10), signal)
    await look(world, home.camera, key, grant, until.signal, (pictures) => {
      if (pictures < PICTURES) return
      looking = false
      until.stop()
    })
    until.stop()
  })
  home.wire.onSent = () => undefined
  if (packets === 0) throw new Error("no picture left the camera")
  tries.holds(dark === 0, `the light was off at ${dark} of ${packets} packets with pictures`)
}

async function lightWhileRecording(home: Home, tries: Tries, signal: AbortSignal): Promise<void> {
  let unlit = 0
  const { onLine } = home
  home.onLine = (line) => {
    onLine(line)
    if (line.event === "clip opened" && !home.visitor.seesLight) unlit++
  }
  try {
    await home.recordClip(signal)
  } finally {
    home.onLine = onLine
  }
  tries.holds(unlit === 0, "a clip began with the light off")
}

/** The owner's own connection reaches the camera: whatever it carries, by whosever key. */
async function privacyFromAfar(world: World, home: Home, tries: Tries, signal: AbortSignal): Promise<void> {
  const { camera, owner } = home
  const on = await sendAsOwner(world, home, privacyOn(camera.id, lastBeat(home), owner), owner, signal)
  if (on?.result !== "done") throw new Error("the camera did not enter privacy mode")
  while (!isPrivate(home) && !signal.aborted) await sleep(20, signal)
  const { groups } = home.board.lens
  const keys = [owner, signingKeyOf(randomBytes(32)), ...(await serverKeys(world.holdings.keyFile))]
  const { nonce, boot } = lastBeat(home)
  for (const key of keys)
    for (const press of ["0".repeat(32), nonce, boot, freshNonce()]) {
      await sendAsOwner(world, home, privacyOff(camera.id, press, key), owner, signal, seconds(3))
      tries.holds(isPrivate(home), "a remote command ended privacy mode")
    }
  await sleep(300, signal)
  tries.holds(home.board.lens.groups === groups, "the lens went on in privacy mode")
}

/** Who is there, and has the owner's word, ends it. @throws when that fails, too: then nothing was shown. */
async function leavePrivacy(world: World, home: Home, signal: AbortSignal): Promise<void> {
  const { camera, owner } = home
  await home.visitor.pressesBell()
  for (let turn = 0; turn < 50 && isPrivate(home) && !signal.aborted; turn++) {
    const press = pressIn(home.wire.sent, camera.id)
    if (press) await sendAsOwner(world, home, privacyOff(camera.id, press, owner), owner, signal, seconds(3))
    await sleep(100, signal)
  }
  if (isPrivate(home)) throw new Error("nor does the owner's word with a press of the button end it")
}

function isPrivate({ lines }: Home): boolean {
  const last = lines.findLast((line) => line.event === "privacy")
  return last?.event === "privacy" && last.on
}

const freshNonce = (): string => randomBytes(16).toString("hex")

/** The nonce that the camera's newest heartbeat gives for a press of its button; null: it gives none. */
function pressIn(sent: readonly Buffer[], device: string): string | null {
  const text = Buffer.concat(sent.slice(-40)).toString("latin1")
  const at = text.lastIndexOf(deviceTopic(device, "beat"))
  const payload = /"payload":"([^"]+)"/.exec(text.slice(at))?.[1]
  if (at < 0 || !payload) return null
  return /"press":"([0-9a-f]{32})"/.exec(Buffer.from(payload, "base64").toString())?.[1] ?? null
}
