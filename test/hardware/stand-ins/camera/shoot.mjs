import { appendFileSync, writeSync } from "node:fs"

/**
 * What the environment tells a stand-in camera:
 *
 *   STAND_IN_FOOTAGE   the H.264 Annex B file that it shows, over and over
 *   STAND_IN_LUMA      a file of one picture's luma, for uncompressed pictures; absent: flat grey
 *   STAND_IN_MODES     words, separated by commas, as the programs list them; absent: all is well
 *   STAND_IN_AFTER     how many pictures until a mode strikes that strikes later (20)
 *   STAND_IN_SPEED     how many times faster than the frame rate asked for (1)
 *   STAND_IN_START_MS  how long the camera takes to start (40)
 *   STAND_IN_HELP      which build: 1.13 (default); 1.5, which has no --low-latency; or lite, which has no libav
 *   STAND_IN_BOARD     pi-4 (default), or pi-5, which has no encoder of its own
 *   STAND_IN_CALLS     a file that gets a line of JSON, {program, pid, argv}, for each start
 *   STAND_IN_STOPPED   a file that gets the process id of each that was stopped by SIGINT
 */
export function standIn(name, fallback) {
  return process.env[`STAND_IN_${name}`] ?? fallback
}

export const modes = new Set(standIn("MODES", "").split(","))

export function noteCall(program) {
  const calls = standIn("CALLS")
  if (!calls) return
  appendFileSync(calls, `${JSON.stringify({ program, pid: process.pid, argv: process.argv.slice(2) })}\n`)
}

export function noteStop() {
  const stopped = standIn("STOPPED")
  if (stopped) appendFileSync(stopped, `${process.pid}\n`)
}

export function say(line) {
  writeSync(2, `${line}\n`)
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/**
 * Gives `pictureAt(index)` at the frame rate until `over()`; after each, `onPicture(index)`. Writing waits for the
 * reader, as the real programs do. Strikes as the modes say:
 *
 *   crash    in the middle of a picture
 *   stall    no more pictures, and no SIGINT is heard
 *   wedged   the same, and no SIGTERM is heard; says so once a second
 */
export async function shoot({ framesPerSecond, pictureAt, onPicture, over }) {
  await pause(Number(standIn("START_MS", 40)))
  const strikesAt = Number(standIn("AFTER", 20))
  const period = 1_000 / framesPerSecond / Number(standIn("SPEED", 1))
  const begun = performance.now()
  for (let index = 0; !over(); index++) {
    const picture = pictureAt(index)
    if (index >= strikesAt) await strike(picture)
    writeAll(picture)
    onPicture(index)
    await pause(Math.max(0, begun + (index + 1) * period - performance.now()))
  }
}

async function strike(picture) {
  if (modes.has("crash")) {
    writeAll(picture.subarray(0, picture.length >> 1))
    process.kill(process.pid, "SIGKILL")
    await pause(10_000)
  }
  if (modes.has("wedged")) process.on("SIGTERM", () => undefined)
  while (modes.has("stall") || modes.has("wedged")) {
    if (modes.has("wedged")) say("ERROR: Device timeout detected, attempting a restart!!!")
    await pause(1_000)
  }
}

/** @throws when nobody reads any more. */
export function writeAll(bytes) {
  for (let from = 0; from < bytes.length; ) from += writeSync(1, bytes, from)
}
