import "./install.ts"
import { expect, onTestFinished } from "vitest"
import type { OwnerKeys } from "../owner/keys.ts"
import { toBeOpenableOnlyBy, toHaveDelivered } from "./matchers.ts"
import { openVirtualCamera, type VirtualCamera, type VirtualCameraOptions } from "./virtual-camera.ts"

/**
 * For tests of firmware: a whole camera with its owner and its cloud, on a clock that stands until a test moves it.
 *
 *     import { expect, test } from "vitest"
 *     import { minutes, virtualCamera } from "../harness/virtual/testing.ts"
 *
 *     test("a visitor is recorded and delivered", async () => {
 *       const camera = await virtualCamera()
 *       await camera.walkBy()
 *       await camera.advance(minutes(1))
 *       expect(camera).toHaveDelivered(1)
 *       await expect(camera).toBeOpenableOnlyBy(camera.owner)
 *     })
 *
 * This import must come before any other of the project's: it replaces the time of the whole test file, and says so if
 * it comes too late. vitest keeps its own timers, so its time-outs go on in real time. Tests of one file share the
 * clock, so they cannot be concurrent; `vi.useFakeTimers` has no place beside it.
 */
export async function virtualCamera(options: VirtualCameraOptions = {}): Promise<VirtualCamera> {
  const camera = await openVirtualCamera(options)
  onTestFinished(() => camera.close())
  return camera
}

export { minutes, seconds } from "../../firmware/units.ts"
export { OwnerKeys } from "../owner/keys.ts"
export { time } from "./install.ts"
export type { VirtualCamera, VirtualCameraOptions } from "./virtual-camera.ts"

expect.extend({ toHaveDelivered, toBeOpenableOnlyBy })

declare module "vitest" {
  interface Matchers<T> {
    /** Its owner sees exactly so many whole clips in the cloud. */
    toHaveDelivered(clips: number): T
    /** To be awaited: opens every object of every delivered clip as `owner`, and tries as everybody else. */
    toBeOpenableOnlyBy(owner: OwnerKeys): Promise<T>
  }
}
