import { verifySelfSigned } from "../../../firmware/control/dsse.ts"
import { type PublicKey, publicKeyFromHex } from "../../../firmware/control/keys.ts"
import { grantShape } from "../../../firmware/control/live-messages.ts"
import { Fault } from "../../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import type { KeptAsk } from "../staff/desk-drawer.ts"
import type { SupportBoxes } from "./boxes.ts"
import { parseSupportCode } from "./code.ts"
import { openAnswer } from "./request.ts"

/** What an owner's yes comes to: one camera, one key, a while. Whether it still holds, the camera says. */
export interface Granted {
  readonly camera: PublicKey
  readonly envelope: Uint8Array
  readonly for: Milliseconds
}

/**
 * The owner's answer to a look that was asked for; null: none yet.
 * @throws Fault "refused", definite: the owner says no; "tampered": a grant for another key or camera.
 */
export async function grantedLook(ask: KeptAsk, boxes: SupportBoxes): Promise<Granted | null> {
  const code = await parseSupportCode(ask.code)
  const file = await boxes.answer(code.box, ask.request)
  if (file === null) return null
  const answer = await openAnswer(file, code)
  if (answer.request !== ask.request) throw new Fault("tampered", "an answer to another request")
  if (answer.result === "refused") throw new Fault("refused", "the owner says no")
  const envelope = Buffer.from(answer.grant, "base64")
  const { body } = verifySelfSigned("grant", envelope, grantShape, ({ owner }) => publicKeyFromHex(owner))
  const camera = publicKeyFromHex(answer.camera)
  if (body.receiver !== ask.viewer.hex || body.device !== camera.id)
    throw new Fault("tampered", "the grant in the answer is for another key, or another camera")
  return { camera, envelope, for: seconds(body.seconds) }
}
