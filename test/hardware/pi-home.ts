import { join } from "node:path"
import type { onTestFinished } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { newSetupCode, setupText } from "../../firmware/control/pairing.ts"
import { processClock } from "../../hardware/clock.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { platformRandom } from "../../hardware/random.ts"
import { type Cloud, startCloud } from "../../harness/cloud/broker.ts"
import { openCloudKeys } from "../../harness/cloud/keys.ts"
import { OwnerKeys } from "../../harness/owner/keys.ts"
import { pairAsOwner } from "../../harness/owner/pairing.ts"
import type { Running } from "../running.ts"
import { type Pi, quickSettings, standInPi } from "./pi-camera.ts"

export interface Home {
  readonly pi: Pi
  readonly cloud: Cloud
  readonly keys: OwnerKeys
  /** What the owner's app shows, and the camera's key once it has answered. */
  offer(): { readonly text: string; readonly camera: Promise<PublicKey | null> }
}

/** On this machine: `program` is the bundle's file. */
export async function home(program: string, onFinished: typeof onTestFinished): Promise<Home> {
  const pi = await standInPi(program, onFinished)
  const cloud = await startCloud({
    ...{ host: "127.0.0.1", port: 0, name: "cloud.example", directory: join(pi.folder, "bucket") },
    keys: await openCloudKeys(join(pi.folder, "cloud-keys.json")),
    log: { write: () => undefined },
  })
  onFinished(() => cloud.close())
  const keys = await OwnerKeys.create()
  await pi.settle(quickSettings(cloud.port))
  return {
    ...{ pi, cloud, keys },
    offer() {
      const { name, brokerKey } = cloud.identity
      const code = newSetupCode({ name, pin: brokerKey })
      const dialler = networkDialler(`mqtt://127.0.0.1:${cloud.port}`)
      const parts = {
        dialler,
        clock: processClock(),
        random: platformRandom,
        log: { write: () => undefined },
      }
      const until = AbortSignal.timeout(40_000)
      const { link } = parseConfig({ link: { retryFirst: 50 } })
      return { text: setupText(code), camera: pairAsOwner(code, keys, cloud.identity, parts, link, until) }
    },
  }
}

/** A finger that is not sure whether it was felt. */
export async function pressUntil(pi: Pi, running: Running, text: string): Promise<void> {
  let felt = false
  const seen = running.until(text).then(() => {
    felt = true
  })
  while (!felt) {
    await pi.press()
    await Promise.race([seen, new Promise((resolve) => setTimeout(resolve, 300))])
  }
}

/** Runs a new camera and pairs it by a QR code before its lens. */
export async function pairedCamera({ pi, offer }: Home): Promise<{ running: Running; camera: PublicKey }> {
  const { text, camera } = offer()
  await pi.show(text)
  const running = pi.start("run")
  await running.until('"event":"no owner yet"')
  await pressUntil(pi, running, '"event":"looking for a setup text"')
  const key = await camera
  await running.until('"event":"started"')
  await running.until('"event":"connected"', 2)
  if (!key) throw new Error("it did not pair")
  return { running, camera: key }
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100))
}
