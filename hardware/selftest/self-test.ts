import { isPrivate } from "../../firmware/control/privacy.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { type Milliseconds, minutes } from "../../firmware/units.ts"
import { type Check, type CheckResult, type Finding, fail, type Jig, skipped } from "./check.ts"
import { bitrate } from "./checks/bitrate.ts"
import { broker } from "./checks/broker.ts"
import { button } from "./checks/button.ts"
import { clock } from "./checks/clock.ts"
import { crypto } from "./checks/crypto.ts"
import { disk } from "./checks/disk.ts"
import { frameRate } from "./checks/frame-rate.ts"
import { freeSpace } from "./checks/free-space.ts"
import { frozen } from "./checks/frozen.ts"
import { key } from "./checks/key.ts"
import { lens } from "./checks/lens.ts"
import { motionSensor } from "./checks/motion-sensor.ts"
import { network } from "./checks/network.ts"
import { picture } from "./checks/picture.ts"
import { power } from "./checks/power.ts"
import { recordingLight } from "./checks/recording-light.ts"
import { shutter, shutterOf } from "./checks/shutter.ts"
import { statusLight } from "./checks/status-light.ts"
import { temperature } from "./checks/temperature.ts"
import { LensSeen } from "./lens-seen.ts"
import type { World } from "./world.ts"

/**
 * In this order: first what needs nobody, while the motion sensor warms up; temperature and power after lens and sealer
 * have worked; then the operator's.
 */
export const CHECKS: readonly Check[] = [
  ...[key, clock, network, broker, disk, freeSpace],
  ...[lens, frameRate, bitrate, picture, frozen, crypto, temperature, power],
  ...[recordingLight, statusLight, shutter, button, motionSensor],
]

/** They judge what `lens` has shown to be there. */
const NEED_LENS: readonly Check[] = [frameRate, bitrate, picture, frozen]
/** They look, or let the camera look. */
const LOOK: readonly Check[] = [lens, ...NEED_LENS, shutter]

const WITHIN: Milliseconds = minutes(1)

export interface SelfTestOptions extends Pick<Jig, "operator" | "serial" | "seen"> {
  /** Called as each check begins. */
  readonly onBegin?: (name: string) => void
}

/**
 * Every check in turn, each with its result; what one finds keeps none of the others from being made, but for those that
 * need a lens where there is none. Lights are dark and the shutter is closed afterwards. While the owner has privacy mode
 * on the shutter stays closed, and nothing looks.
 *
 * @throws Fault "unavailable", definite: `signal` has aborted. Fault "broken": a mistake of ours.
 */
export async function* selfTest(
  world: World,
  options: SelfTestOptions,
  signal: AbortSignal,
): AsyncGenerator<CheckResult, void, undefined> {
  const jig: Jig = { world, ...options, signal, lens: new LensSeen(world, signal) }
  const hidden = await whyHidden(world)
  if (hidden === null) await moveShutter(jig, "open")
  let lensIsDead = false
  try {
    for (const check of CHECKS) {
      options.onBegin?.(check.name)
      const begunAt = world.clock.monotonic()
      const without = whyWithout(check, hidden, lensIsDead)
      const finding: Finding = without === null ? await inTime(check, jig) : skipped(without)
      if (signal.aborted) throw new Fault("unavailable", "self-test: stopped before its end")
      const { verdict, why, measured = {}, limits = {} } = finding
      if (check === lens) lensIsDead = Object.keys(measured).length === 0
      const duration = world.clock.monotonic() - begunAt
      yield { name: check.name, mandatory: check.mandatory, verdict, why, measured, limits, duration }
    }
  } finally {
    await moveShutter(jig, "close")
  }
}

/** Why `check` cannot be made; null: it can. */
function whyWithout(check: Check, hidden: string | null, lensIsDead: boolean): string | null {
  if (LOOK.includes(check) && hidden !== null) return hidden
  return lensIsDead && NEED_LENS.includes(check) ? "the lens gives nothing to judge" : null
}

/** Why nothing may look; null: it may. Where it cannot be known, nothing looks. */
async function whyHidden({ disk, clock }: World): Promise<string | null> {
  const unknown = (why: string) => `whether the owner has privacy mode on cannot be told: ${why}`
  const over = new AbortController()
  const tooLate = clock.sleep(WITHIN, over.signal).then(() => unknown("the disk does not answer"))
  try {
    const told = isPrivate(disk()).then((on) =>
      on ? "the owner has privacy mode on: nothing looks until the owner ends it, at the camera" : null,
    )
    return await Promise.race([told, tooLate])
  } catch (error) {
    if (!isFault(error) || error.kind === "broken") throw error
    return unknown(messageOf(error))
  } finally {
    over.abort()
  }
}

/** A part that does not answer, as an SD card that dies, ends its own check alone. */
async function inTime(check: Check, jig: Jig): Promise<Finding> {
  const within = check.within ?? WITHIN
  const over = new AbortController()
  const tooLate = jig.world.clock
    .sleep(within, over.signal)
    .then(() => fail(`no answer within ${within / 1_000} s`))
  const signal = AbortSignal.any([jig.signal, over.signal])
  try {
    return await Promise.race([answered(check, { ...jig, signal }), tooLate])
  } finally {
    over.abort()
  }
}

async function answered(check: Check, jig: Jig): Promise<Finding> {
  try {
    return await check.run(jig)
  } catch (error) {
    if (!isFault(error) || error.kind === "broken") throw error
    return { verdict: "fail", why: messageOf(error) }
  }
}

/** Without pins, its own check says so. */
async function moveShutter(jig: Jig, to: "open" | "close"): Promise<void> {
  try {
    await (await shutterOf(jig))?.[to]()
  } catch (error) {
    if (!isFault(error)) throw error
  }
}
