import { pairCamera } from "../../firmware/camera.ts"
import type { CameraConfig } from "../../firmware/config.ts"
import { newSetupCode, setupText } from "../../firmware/control/pairing.ts"
import { Fault } from "../../firmware/errors.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { VirtualBoard, Visitor } from "../../simulator/board.ts"
import type { Cloud } from "../cloud/broker.ts"
import { OwnerFolder } from "../owner/folder.ts"
import { LogMemory, pinOf } from "../owner/log-memory.ts"
import { pairAsOwner } from "../owner/pairing.ts"
import { pressUntil } from "./visit.ts"

/** A virtual camera without an owner, its button, and how it may be told to stop. */
interface NewCamera {
  readonly board: VirtualBoard
  readonly config: CameraConfig
  readonly visitor: Visitor
  readonly signal: AbortSignal
}

/**
 * Presses the button and shows `text` once: a text is good for one attempt. False: stopped before it had an owner.
 * @throws Fault "refused", definite: nobody with this text answered, or not with the right one.
 */
export async function pairWithText(
  text: string,
  { board, config, visitor, signal }: NewCamera,
): Promise<boolean> {
  const over = new AbortController()
  let reason = "nobody answered"
  const write = (line: LogLine) => {
    board.log.write(line)
    if (line.event !== "pairing failed" || line.triesLeft > 0) return
    reason = line.reason
    over.abort()
  }
  const paired = await pressAndShow(text, { ...board, log: { write } }, config, visitor, [
    signal,
    over.signal,
  ])
  if (!paired && !signal.aborted)
    throw new Fault("refused", `pairing failed: ${reason}; ask for a new text with "obscura owner pair"`)
  return paired
}

/**
 * With the household of the folder `directory`, which is made if there is none: recovery kit in a file, for trying
 * things out. False: stopped before the camera had an owner.
 */
export async function pairWithHome(
  directory: string,
  cloud: Cloud,
  { board, config, visitor, signal }: NewCamera,
): Promise<boolean> {
  const folder = new OwnerFolder(directory)
  const keys = (await folder.exists())
    ? await folder.open(() =>
        Promise.reject(new Fault("usage", "this household has a passphrase: pair with obscura owner pair")),
      )
    : await folder.create("x25519", null)
  const code = newSetupCode({ name: cloud.identity.name, pin: cloud.identity.brokerKey })
  const parts = { ...board, log: { write: () => undefined } }
  const { recipient } = await folder.household(keys)
  const owner = pairAsOwner(code, keys, cloud.identity, parts, config.link, signal, recipient)
  const camera = pressAndShow(setupText(code), board, config, visitor, [signal])
  const key = await owner
  if (key) await new LogMemory(directory).pin(key.id, cloud.identity)
  if (key) await folder.addPaired(key, keys, Date.now(), pinOf(cloud.identity))
  return (await camera) && key !== null
}

async function pressAndShow(
  text: string,
  board: VirtualBoard,
  config: CameraConfig,
  visitor: Visitor,
  signals: AbortSignal[],
): Promise<boolean> {
  const signal = AbortSignal.any(signals)
  let shown = false
  const show = async () => {
    shown = true
    return text
  }
  const pairing = pairCamera(board, config, show, signal)
  // A camera that could not even begin feels no button; why, is thrown below.
  pairing.catch(() => (shown = true))
  await pressUntil(() => shown, visitor, board.clock, signal)
  return pairing
}
