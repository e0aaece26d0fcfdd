import { pairCamera, runCamera } from "../../firmware/camera.ts"
import { openIdentity, resetCamera } from "../../firmware/control/identity.ts"
import { OwnershipFile } from "../../firmware/control/ownership.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Board } from "../../firmware/ports.ts"
import type { Seconds } from "../../firmware/units.ts"
import { type Settings, warmedUp } from "../settings.ts"
import { heldThroughBoot, type PinReader } from "./reset-button.ts"

/** What a camera's life needs of a Pi beyond a board. */
export interface LifeParts {
  readonly board: Board & { readonly pins: PinReader }
  readonly readSetupText: (signal: AbortSignal) => Promise<string | null>
  /** Of the system: os.uptime(). */
  readonly uptime: Seconds
  /** Where the settings were read, for advice. */
  readonly settingsFile: string
  readonly onKnown: (facts: { readonly device: string; readonly paired: boolean }) => void
}

/**
 * From a boot to a stop: perhaps given away, perhaps paired, then running.
 * @throws Fault "unpaired", definite: it has no owner, and no broker to find one by. What `runCamera` throws.
 */
export async function live(parts: LifeParts, settings: Settings, signal: AbortSignal): Promise<void> {
  const { board, readSetupText, uptime } = parts
  const { disk, log, pins, clock } = board
  const { camera, broker } = settings
  const begunAt = clock.monotonic()
  if (await heldThroughBoot({ pins, clock, uptime }, camera.pins, signal)) {
    const { device } = await openIdentity(disk)
    await resetCamera(disk)
    log.write({ event: "reset", device })
  }
  const identity = await openIdentity(disk)
  const { device } = identity
  const paired = (await new OwnershipFile(disk, identity).read()) !== null
  parts.onKnown({ device, paired })
  if (!paired && broker === undefined)
    throw new Fault(
      "unpaired",
      `this camera has no owner, and ${parts.settingsFile} names no broker to find one by: add "broker": "mqtts://…"`,
    )
  if (!paired) log.write({ event: "no owner yet", device })
  // The motion sensor has had power since the boot, not since this program was started again.
  const warmed = () => warmedUp(camera, uptime * 1_000 + clock.monotonic() - begunAt)
  if (await pairCamera(board, warmed(), readSetupText, signal)) await runCamera(board, warmed(), signal)
}
