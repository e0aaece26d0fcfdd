import type { Answer } from "../../firmware/control/protocol.ts"
import { privacyOff, privacyOn } from "./grants.ts"
import { OrderLink, type OrderParts } from "./order-link.ts"

/** What the camera said to it; or that nothing needed to be said. */
export type PrivacyOutcome = Answer | "is off already"

/**
 * Enters or leaves privacy mode. To leave it somebody must press the camera's button: `onPress` is called when that is
 * waited for. null when `signal` aborts first.
 */
export async function changePrivacy(
  mode: "on" | "off",
  parts: OrderParts,
  onPress: () => void,
  signal: AbortSignal,
): Promise<PrivacyOutcome | null> {
  const { camera, owner } = parts
  const link = new OrderLink(parts)
  const done = new AbortController()
  const running = link.run(done.signal)
  try {
    const newest = await link.beats.next(signal)
    const { quote } = link.beats
    if (newest === null || quote === null) return null
    if (mode === "on") return await link.order(privacyOn(camera.id, quote, owner), signal)
    if (newest.privacy === null) return "is off already"
    onPress()
    const pressed = await link.beats.next(signal, ({ privacy }) => privacy === null || privacy.press !== null)
    const press = pressed?.privacy?.press
    if (pressed !== null && !press) return "is off already"
    return press ? await link.order(privacyOff(camera.id, press, owner), signal) : null
  } finally {
    done.abort()
    await running
  }
}
