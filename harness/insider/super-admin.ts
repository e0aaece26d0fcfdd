import { randomBytes } from "node:crypto"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { deviceTopic, liveTopic } from "../../firmware/control/protocol.ts"
import { seconds } from "../../firmware/units.ts"
import { sleep } from "../../simulator/sleep.ts"
import { Tries } from "../checks/check.ts"
import { privacyOff, privacyOn } from "../owner/grants.ts"
import { LiveLook } from "../owner/live-look.ts"
import { asOwner, look, within } from "./guest.ts"
import { intrude } from "./intruder.ts"
import { sendAsOwner } from "./orders.ts"
import { serverKeys } from "./server-secrets.ts"
import { framesIn, lastBeat } from "./unlent.ts"
import type { Insider } from "./world.ts"

/** How many other cameras somebody tries with a grant for one. */
const OTHERS_MAX = 20

/** May do everything that an account can do, and everything that one owner let them. */
export const superAdmin: Insider = {
  name: "super-admin",
  has: "every server key, every camera's id, a grant for one camera, a stolen owner's key without the home",
  attempts: {
    C10: {
      when: "during",
      async run(world, signal) {
        const tries = new Tries()
        const [lent, ...rest] = world.homes
        if (!lent) throw new Error("a world without homes")
        const key = signingKeyOf(randomBytes(32))
        await lent.alone(() =>
          asOwner(world, lent, async (lending) => {
            const grant = await lending.lend(key, "the picture freezes", signal)
            if (!grant) return
            const until = within(seconds(10), signal)
            const own = await look(world, lent.camera, key, grant, until.signal, () => until.stop())
            until.stop()
            if (own.pictures === 0) throw new Error(`nor by the grant for this camera: ${own.refused}`)
            const cameras = [...rest.map(({ camera }) => camera), ...world.others.map(({ camera }) => camera)]
            for (const camera of cameras.slice(0, OTHERS_MAX)) {
              const words = [
                {
                  topic: deviceTopic(lent.camera.id, "view"),
                  payload: Buffer.from(new LiveLook(lent.camera, key, grant).ask),
                },
                {
                  topic: deviceTopic(camera.id, "view"),
                  payload: Buffer.from(new LiveLook(camera, key, grant).ask),
                },
              ]
              const { heard } = await intrude(
                world,
                { role: "viewer", key },
                [liveTopic(camera.id, key.id)],
                words,
                400,
                signal,
              )
              tries.holds(framesIn(heard) === 0, "a grant for one camera shows another")
            }
          }),
        )
        return tries
      },
    },
    C12: {
      when: "during",
      async run(world, signal) {
        const tries = new Tries()
        const home = world.homes[2] ?? world.homes[0]
        if (!home) throw new Error("a world without homes")
        const { camera, owner } = home
        await home.alone(async () => {
          // While pictures leave, the light is on: seen at each packet, from outside.
          let dark = 0
          let packets = 0
          let looking = false
          const topic = Buffer.from(`obscura/1/${camera.id}/live/`)
          home.wire.onSent = (chunk) => {
            if (!looking || !chunk.includes(topic)) return
            packets++
            if (!home.visitor.seesLight) dark++
          }
          await asOwner(world, home, async (lending) => {
            const key = signingKeyOf(randomBytes(32))
            const grant = await lending.lend(key, "is the gate open", signal)
            if (!grant) return
            const until = within(seconds(10), signal)
            looking = true
            await look(world, camera, key, grant, until.signal, (pictures) => {
              if (pictures >= 10) {
                looking = false
                until.stop()
              }
            })
            until.stop()
          })
          home.wire.onSent = () => undefined
          if (packets === 0) throw new Error("no picture left the camera")
          tries.holds(dark === 0, `the light was off at ${dark} of ${packets} packets with pictures`)
          const mark = home.mark
          let unlit = 0
          const seen = home.onLine
          home.onLine = (line) => {
            seen(line)
            if (line.event === "clip opened" && !home.visitor.seesLight) unlit++
          }
          await home.recordClip(signal)
          home.onLine = seen
          tries.holds(unlit === 0, "a clip began with the light off")

          const on = await sendAsOwner(
            world,
            home,
            privacyOn(camera.id, lastBeat(home), owner),
            owner,
            signal,
          )
          if (on?.result !== "done") throw new Error("the camera did not enter privacy mode")
          await home.line("privacy mode", (line) => line.event === "privacy" && line.on, signal, mark)
          const groups = home.board.lens.groups
          const keys = [owner, signingKeyOf(randomBytes(32)), ...(await serverKeys(world.holdings.keyFile))]
          const presses = [
            "0".repeat(32),
            lastBeat(home).nonce,
            lastBeat(home).boot,
            randomBytes(16).toString("hex"),
          ]
          for (const key of keys)
            for (const press of presses) {
              // The owner's own connection reaches the camera: whatever it carries.
              await sendAsOwner(world, home, privacyOff(camera.id, press, key), owner, signal, seconds(3))
              const left = home.lines.slice(mark).some((line) => line.event === "privacy" && !line.on)
              tries.holds(!left, "a remote command ended privacy mode")
            }
          await sleep(300, signal)
          tries.holds(home.board.lens.groups === groups, "the lens went on in privacy mode")
          // Who is there, and has the owner's word, ends it.
          await home.visitor.pressesBell()
          await leavePrivacy()

          async function leavePrivacy() {
            if (!home) return
            await asOwner(world, home, async () => undefined)
            for (let turn = 0; turn < 50 && !signal.aborted; turn++) {
              const press = pressIn(home.wire.sent, camera.id)
              if (press) {
                const off = await sendAsOwner(
                  world,
                  home,
                  privacyOff(camera.id, press, owner),
                  owner,
                  signal,
                  seconds(3),
                )
                if (off?.result === "done") return
              }
              await sleep(100, signal)
            }
            if (!home.lines.slice(mark).some((line) => line.event === "privacy" && !line.on))
              throw new Error("nor does the owner's word with a press of the button end it")
          }
        })
        return tries
      },
    },
  },
}

/** The nonce that the camera's newest heartbeat gives for a press of its button; null: it gives none. */
function pressIn(sent: readonly Buffer[], device: string): string | null {
  const text = Buffer.concat(sent.slice(-40)).toString("latin1")
  const at = text.lastIndexOf(deviceTopic(device, "beat"))
  const payload = /"payload":"([^"]+)"/.exec(text.slice(at))?.[1]
  if (at < 0 || !payload) return null
  return /"press":"([0-9a-f]{32})"/.exec(Buffer.from(payload, "base64").toString())?.[1] ?? null
}
