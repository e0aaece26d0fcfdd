import { pairCamera } from "../../firmware/camera.ts"
import { openIdentity } from "../../firmware/control/identity.ts"
import { OwnershipFile } from "../../firmware/control/ownership.ts"
import { PAIRING_WITHIN, parseSetupText } from "../../firmware/control/pairing.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { Log } from "../../firmware/ports.ts"
import { type PiBoard, piBoard } from "../board.ts"
import { isInUse } from "../directory-lock.ts"
import { readModel } from "../model.ts"
import { readSettings, type Settings } from "../settings.ts"
import { refuseDebugger } from "./no-debugger.ts"
import { type Paths, refuseWrongUser } from "./paths.ts"
import { stopOnSignals } from "./stop.ts"

/** Setup texts are 250 characters at most; somebody who pipes a film in is told so. */
const TEXT_CHARACTERS_MAX = 1_000

/**
 * `obscura-camera pair`: what the service does by itself for a new camera, with words for whoever stands before it.
 * `--setup -` takes the text from standard input; the button is pressed all the same, for only who is at the camera may
 * give it away.
 *
 * @throws Fault "usage", definite: the service runs, it has an owner, there is no broker, this is no setup text.
 *         Fault "refused", definite: nobody answered to the text that was given.
 */
export async function pair(
  paths: Paths,
  env: NodeJS.ProcessEnv,
  given: string | undefined,
  say: (text: string) => void,
): Promise<void> {
  if (given !== undefined && given !== "-")
    throw new Fault(
      "usage",
      "--setup takes - alone, and reads the text from standard input: others can see a command line",
    )
  await refuseWrongUser(paths)
  refuseDebugger()
  const model = await readModel()
  const settings = await readSettings(paths.settings, model)
  if (settings.broker === undefined)
    throw new Fault(
      "usage",
      `${paths.settings} names no broker to find an owner by: add "broker": "mqtts://…"`,
    )
  const text = given === undefined ? null : await readStandardInput()
  const { signal } = stopOnSignals()
  const teller = new Teller(say, text !== null)
  const board = await piBoard(settings, model, paths, teller, env).catch((error: unknown) => {
    throw isInUse(error) ? inUse(error) : error
  })
  try {
    await pairOn(board, settings, text, teller, signal)
  } finally {
    await board.close()
  }
}

async function pairOn(
  board: PiBoard,
  { camera }: Settings,
  text: string | null,
  teller: Teller,
  signal: AbortSignal,
): Promise<void> {
  const identity = await openIdentity(board.disk)
  const { device } = identity
  if (await new OwnershipFile(board.disk, identity).read())
    throw new Fault(
      "usage",
      `camera ${device} has an owner: to give it away, hold its ${camera.pins.reset === undefined ? "" : "reset "}button through a boot, for ten seconds`,
    )
  teller.say(`This is camera ${device}. Press its button.`)
  const failed = new AbortController()
  teller.onFailure = (reason) => {
    // The one text that was given is used up; before the lens another can be shown.
    if (text !== null) failed.abort(new Fault("refused", `pairing failed: ${reason}; ask for a new text`))
  }
  const read = text === null ? board.readSetupText : async () => text
  const paired = await pairCamera(board, camera, read, AbortSignal.any([signal, failed.signal]))
  if (!paired && failed.signal.aborted) throw failed.signal.reason
  if (paired) teller.say("Paired. Start the service: sudo systemctl start obscura-camera")
}

/** Says what a person needs of a pairing's log. */
class Teller implements Log {
  readonly say: (text: string) => void
  onFailure: (reason: string) => void = () => undefined
  readonly #textIsGiven: boolean

  constructor(say: (text: string) => void, textIsGiven: boolean) {
    this.say = say
    this.#textIsGiven = textIsGiven
  }

  write(line: LogLine): void {
    const sentence = sentenceFor(line, this.#textIsGiven)
    if (sentence !== null) this.say(sentence)
    if (line.event === "pairing failed" && line.triesLeft === 0) this.onFailure(line.reason)
  }
}

function sentenceFor(line: LogLine, textIsGiven: boolean): string | null {
  switch (line.event) {
    case "looking for a setup text":
      return textIsGiven
        ? null
        : `Now hold the owner's QR code before the lens, a hand away; there are ${PAIRING_WITHIN / 60_000} minutes.`
    case "pairing opened":
      return "Asking the owner …"
    case "pairing failed":
      return `That did not work: ${line.reason}.${textIsGiven ? "" : " Press the button to try again."}`
    case "disconnected":
      return `The broker cannot be reached: ${line.reason}`
    case "lens warning":
      return `The lens: ${line.reason}`
    case "fault":
      return `${line.where}: ${line.reason}`
    default:
      return null
  }
}

async function readStandardInput(): Promise<string> {
  if (process.stdin.isTTY) console.error("Paste the setup text, then Ctrl-D:")
  try {
    const text = (await beginningOf(process.stdin.setEncoding("utf8"))).trim()
    parseSetupText(text)
    return text
  } catch (cause) {
    throw isFault(cause) ? cause : new Fault("usage", `--setup -: ${messageOf(cause)}`, { cause })
  }
}

/** Of a stream that need not end: nothing is read, or kept, beyond what may be a setup text. */
async function beginningOf(stream: AsyncIterable<string>): Promise<string> {
  let text = ""
  for await (const part of stream) {
    text = (text + part).slice(0, TEXT_CHARACTERS_MAX)
    if (text.length === TEXT_CHARACTERS_MAX) break
  }
  return text
}

function inUse(cause: Fault): Fault {
  return new Fault(
    "usage",
    "this camera is running, and pairs by itself while it has no owner: press its button and show it the text; or first: sudo systemctl stop obscura-camera",
    { cause },
  )
}
