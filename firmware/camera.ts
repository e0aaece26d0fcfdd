import type { CameraConfig } from "./config.ts"
import { obey } from "./control/commands.ts"
import { beat } from "./control/heartbeat.ts"
import { openIdentity } from "./control/identity.ts"
import { Link } from "./control/link.ts"
import { OwnBeats } from "./control/own-beats.ts"
import { type Ownership, OwnershipFile } from "./control/ownership.ts"
import { pairWith } from "./control/pair-camera.ts"
import { PAIRING_WITHIN, parseSetupText } from "./control/pairing.ts"
import { Privacy } from "./control/privacy.ts"
import { deviceTopic, TO_CAMERA } from "./control/protocol.ts"
import { Tuning } from "./control/tuning.ts"
import { openSpool } from "./delivery/open-spool.ts"
import { type SealFor, sealFor } from "./delivery/sealer.ts"
import { deliver } from "./delivery/uploader.ts"
import { Fault, isFault, messageOf } from "./errors.ts"
import { LiveView } from "./live/live-view.ts"
import { fillRing } from "./media/fill-ring.ts"
import { Ring } from "./media/ring.ts"
import { wirePins } from "./pins/pins.ts"
import type { Board } from "./ports.ts"
import { Eyes } from "./recognise/eyes.ts"
import { record } from "./recorder.ts"

/**
 * Runs one camera until `signal` aborts.
 *
 *   record    motion or bell -> pre-roll ring -> mux -> seal -> spool (held) -> verdict -> release or discard
 *   deliver   spool -> upload -> signed receipt -> evictable
 *   obey      link -> command signed by the owner -> done, or a refusal with a reason; a grant -> live view beside it all
 *   beat      a signed sign of life
 *
 * In privacy mode the first of them rests, and the lens with it.
 *
 * The loops meet only at the spool and the link: a dead network never stops a recording, a slow verdict never stops a
 * segment. Plaintext lives between ring and sealer and is never written.
 *
 * @throws Fault "unpaired", definite: a camera that cannot seal for an owner does not start its lens.
 *         Fault "usage", definite: the spool on this disk is another camera's.
 */
export function runCamera(board: Board, config: CameraConfig, signal: AbortSignal): Promise<void> {
  return runLoops(board, config, sealFor, signal)
}

/** What `runCamera` runs. It alone calls this in what ships, and no configuration reaches the sealer. */
export async function runLoops(
  outside: Board,
  config: CameraConfig,
  makeSeal: SealFor,
  signal: AbortSignal,
): Promise<void> {
  const identity = await openIdentity(outside.disk)
  const file = new OwnershipFile(outside.disk, identity)
  const paired = await file.read()
  if (!paired) throw new Fault("unpaired", "this camera has no owner yet: press its button and pair it first")
  let ownership = paired

  const spool = await openSpool(outside, config.spool, identity) // releases what a power cut left held
  const now = () => ownership
  const { clock, random, disk, health } = outside
  const { device } = identity
  const beats = new OwnBeats(identity, clock)
  const privacy = new Privacy({ device, ownership: now, beats, disk, clock })
  await privacy.read()
  const tuning = new Tuning({ device, ownership: now, disk })
  await tuning.read()
  const pins = await wirePins(outside, config, privacy.on)
  const board = { ...outside, log: pins.log }
  const ring = new Ring({
    duration: config.recording.preRoll,
    bytesMax: config.recording.ringBytesMax,
    framesPerSecond: config.lens.framesPerSecond,
    onFlaw: (reason) => board.log.write({ event: "media skipped", reason, count: 1 }),
  })
  const link = new Link(board, config.link, {
    role: "camera",
    key: identity.key,
    broker: ownership.broker,
    subscriptions: TO_CAMERA.map((name) => deviceTopic(identity.device, name)),
  })
  const seal = makeSeal(() => ownership.recipients)
  const { log, light } = pins
  const setOwnership = (changed: Ownership) => {
    ownership = changed
  }
  // Written out: in a simulator of thousands, each spread would give each camera hidden classes of its own.
  const looked = { link, spool, identity, ownership: now, ring, light, disk, clock, log, beats, privacy }
  const live = new LiveView(looked)
  const shared = {
    link,
    spool,
    identity,
    ownership: now,
    setOwnership,
    file,
    clock,
    random,
    health,
    log,
    beats,
    privacy,
    tuning,
    live,
  }

  const eyes = new Eyes(board, ring, tuning.over(config.recognise))
  const look = (rest: AbortController) =>
    together(rest, [
      (until) => fillRing(board, ring, config.link, until),
      (until) => record({ pins, ring, seal, spool, eyes, board }, config, until),
    ])

  board.log.write({ event: "started", device: identity.device })
  eyes.introduce()
  try {
    await live.recover()
    await allOrAbort(signal, [
      (until) => privacy.whileOff({ pins, log, ring, live, look }, until),
      (until) => deliver(shared, config.link, until),
      (until) => obey(shared, until),
      (until) => beat(shared, config.link, until),
      (until) => link.run(until),
    ])
  } finally {
    ring.close()
    pins.close()
    board.log.write({ event: "stopped" })
  }
}

/**
 * Makes a new camera somebody's: waits for a press of its button, then for the setup text to be shown to it (only then
 * is `readSetupText` called), and pairs. Resolves true when it has an owner, false when `signal` aborted first. A text
 * that is wrong, too late or used up is logged, and the next press starts over.
 */
export async function pairCamera(
  outside: Board,
  config: CameraConfig,
  readSetupText: (signal: AbortSignal) => Promise<string | null>,
  signal: AbortSignal,
): Promise<boolean> {
  const identity = await openIdentity(outside.disk)
  const file = new OwnershipFile(outside.disk, identity)
  if (await file.read()) return true
  const pins = await wirePins(outside, config)
  const board = { ...outside, log: pins.log }
  try {
    while ((await pins.nextPress(signal)) !== null) {
      board.log.write({ event: "looking for a setup text" })
      const text = await inTime(board, signal, readSetupText)
      if (text === null) {
        if (!signal.aborted)
          board.log.write({ event: "pairing failed", reason: "no setup text was shown", triesLeft: 0 })
        continue
      }
      try {
        const outcome = await pairWith(parseSetupText(text), board, config.link, identity, file, signal)
        if (outcome.ok) return true
        board.log.write({ event: "pairing failed", reason: outcome.reason, triesLeft: 0 })
      } catch (error) {
        if (!isFault(error, "usage")) throw error
        board.log.write({ event: "pairing failed", reason: messageOf(error), triesLeft: 0 })
      }
    }
    return false
  } finally {
    pins.close()
  }
}

async function inTime<T>(
  { clock }: Board,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const window = new AbortController()
  const close = () => window.abort()
  const cancel = clock.after(PAIRING_WITHIN, close)
  signal.addEventListener("abort", close, { once: true })
  try {
    return await task(window.signal)
  } finally {
    cancel()
    signal.removeEventListener("abort", close)
  }
}

/** Runs all until `signal` aborts. The first that fails stops the others, and its error is the one thrown. */
function allOrAbort(
  signal: AbortSignal,
  loops: readonly ((until: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const stop = new AbortController()
  const abort = () => stop.abort()
  if (signal.aborted) abort()
  signal.addEventListener("abort", abort, { once: true })
  return together(stop, loops).finally(() => signal.removeEventListener("abort", abort))
}

/** As `allOrAbort`, by a controller of the caller's. */
function together(
  stop: AbortController,
  loops: readonly ((until: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const started = loops.map((loop) => loop(stop.signal))
  return new Promise((resolve, reject) => {
    const failures: unknown[] = []
    let running = started.length
    const ended = () => {
      if (--running > 0) return
      if (failures.length > 0) reject(failures[0])
      else resolve()
    }
    const failed = (error: unknown) => {
      failures.push(error)
      stop.abort()
      ended()
    }
    for (const each of started) each.then(ended, failed)
  })
}
