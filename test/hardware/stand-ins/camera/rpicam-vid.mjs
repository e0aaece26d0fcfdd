/**
 * A stand-in for rpicam-vid of rpicam-apps 1.13 (source: core/options.cpp, core/video_options.hpp, apps/rpicam_vid.cpp,
 * output/output.cpp, encoder/libav_encoder.cpp): it refuses what that refuses, in its words, and shows footage.
 * `shoot.mjs` has the environment. Its modes:
 *
 *   no-camera  busy  out-of-memory  no-start    fatal before the first picture: ERROR: *** … ***, exit 255
 *   no-encoder                                  the same on a Pi 5
 *   no-stage                                    it was built without motion detection, and goes on without
 *   motion                                      motion is seen at picture 10, and no more at 20, and so on
 *   headers-apart                               parameter sets count as a picture, with a time of their own
 *   crash  stall  wedged                        later, as in shoot.mjs
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs"
import { headersEnd, unitsIn } from "./footage.mjs"
import { OPTIONS } from "./rpicam-options.mjs"
import { modes, noteCall, noteStop, say, shoot, standIn, writeAll } from "./shoot.mjs"

const build = standIn("HELP", "1.13")
const has = {
  "low-latency": build === "1.13",
  "libav-format": build !== "lite",
}
const options = OPTIONS.filter(({ long }) => has[long] ?? true)

const BEFORE_PICTURES = {
  "no-camera": ["ERROR: *** no cameras available ***"],
  busy: [
    "[0:00:12.345678901] [812] ERROR V4L2 v4l2_device.cpp:390 'imx219 10-0010': Unable to set controls: Device or resource busy",
    "Pipeline handler in use by another process",
    "ERROR: *** failed to acquire camera /base/soc/i2c0mux/i2c@1/imx219@10 ***",
  ],
  "out-of-memory": [
    "[0:00:12.345678901] [812] ERROR V4L2 v4l2_videodevice.cpp:1316 /dev/video14[17:cap]: Unable to request 4 buffers: Cannot allocate memory",
    "ERROR: *** failed to allocate capture buffers ***",
  ],
  "no-start": ["ERROR: *** failed to start camera ***"],
}

class Fatal extends Error {}

function parse(argv) {
  const given = {}
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]
    if (!word.startsWith("-") || word === "-")
      throw new Fatal("too many positional options have been specified on the command line")
    const found = options.find(({ long, short }) => word === `--${long}` || word === `-${short}`)
    if (!found) throw new Fatal(`unrecognised option '${word}'`)
    const { long, readValue } = found
    if (readValue === null) given[long] = true
    else {
      const value = argv[++at]
      if (value === undefined) throw new Fatal(`the required argument for option '--${long}' is missing`)
      given[long] = readValue(value)
      if (Number.isNaN(given[long]))
        throw new Fatal(`the argument ('${value}') for option '--${long}' is invalid`)
    }
  }
  return given
}

function help() {
  const lines = options.map(({ long, short, readValue, what }) => {
    const names = short === "" ? `--${long}` : `-${short} [ --${long} ]`
    return `  ${`${names} ${readValue === null ? "[=arg(=1)] (=0)" : "arg"}`.padEnd(38)} ${what}`
  })
  writeAll(Buffer.from(`Valid options are:\n${lines.join("\n")}\n\n`))
}

function refuseWhatTheBoardCannot(options) {
  const { codec = "h264", output = "" } = options
  if (options.rotation !== undefined && options.rotation % 180 !== 0)
    throw new Fatal("transforms requiring transpose not supported")
  if (options.exposure && !["normal", "sport", "short", "long", "custom"].includes(options.exposure))
    throw new Fatal(`Invalid exposure mode:${options.exposure}`)
  if (standIn("BOARD", "pi-4") !== "pi-5" || codec !== "h264") return
  if (
    options.circular ||
    options.segment ||
    options["save-pts"] ||
    options.split ||
    options.initial === "pause"
  ) {
    say(
      "\nERROR: The libav encoder does not currently support the circular, segment, save_pts, split, or pause",
    )
    throw new Fatal("libav: Incompatible options selected.")
  }
  if (build === "lite" || modes.has("no-encoder"))
    throw new Fatal("Unable to find an appropriate H.264 codec")
  if (output === "-" && options["libav-format"] === undefined)
    throw new Fatal("libav: cannot allocate output context, try setting with --libav-format")
}

async function run(options) {
  const { codec = "h264", framerate = 30, timeout = "5000" } = options
  // The real one opens it, and waits for a reader, before it looks for a camera.
  const times = options["save-pts"] === undefined ? null : openSync(options["save-pts"], "w")
  if (times !== null) writeSync(times, "# timecode format v2\n")
  say("[0:00:12.345678901] [812]  INFO Camera camera_manager.cpp:340 libcamera v0.5.2")
  for (const [mode, lines] of Object.entries(BEFORE_PICTURES)) {
    if (!modes.has(mode)) continue
    for (const line of lines) say(line)
    process.exit(255)
  }
  refuseWhatTheBoardCannot(options)
  let stop = false
  process.on("SIGINT", () => {
    say("Received signal 2")
    noteStop()
    stop = true
  })
  if (Number.parseInt(timeout, 10) > 0)
    setTimeout(
      () => {
        say(`Halting: reached timeout of ${timeout} milliseconds.`)
        stop = true
      },
      Number.parseInt(timeout, 10),
    )
  const { pictureAt, timesOf } = codec === "yuv420" ? uncompressed(options) : encoded(framerate)
  const looksForMotion = motionStage(options)
  await shoot({
    framesPerSecond: framerate,
    pictureAt,
    onPicture(index) {
      if (times !== null) for (const time of timesOf(index)) writeSync(times, `${time}\n`)
      if (looksForMotion && index % 10 === 0 && index > 0)
        say(`Motion ${index % 20 === 10 ? "detected" : "stopped"}`)
    },
    over: () => stop,
  })
  if (times !== null) closeSync(times)
}

function encoded(framerate) {
  const units = unitsIn(standIn("FOOTAGE"))
  const pictureAt = (index) => units[index % units.length]
  const timesOf = (index) => {
    const time = ((index * 1_000) / framerate).toFixed(3)
    return modes.has("headers-apart") && headersEnd(pictureAt(index)) > 0 ? [time, time] : [time]
  }
  return { pictureAt, timesOf }
}

function uncompressed({ width = 640, height = 480 }) {
  const picture = Buffer.alloc((width * height * 3) / 2, 128)
  const luma = standIn("LUMA")
  if (luma) readFileSync(luma).copy(picture, 0, 0, width * height)
  return { pictureAt: () => picture, timesOf: () => [] }
}

function motionStage(options) {
  if (modes.has("no-stage")) say('No post processing stage found for "motion_detect"')
  if (!modes.has("motion") || !options["post-process-file"] || !options["lores-width"]) return false
  return JSON.parse(readFileSync(options["post-process-file"], "utf8")).motion_detect?.verbose === 1
}

noteCall("rpicam-vid")
try {
  const options = parse(process.argv.slice(2))
  if (options.help) help()
  else if (options.version) writeAll(Buffer.from(`rpicam-apps build: v${build}.0\n`))
  else await run(options)
  process.exit(0)
} catch (error) {
  const isFatal = error instanceof Fatal
  if (!isFatal && error.code !== "EPIPE") say(error.stack)
  say(`ERROR: *** ${isFatal ? error.message : "failed to write output bytes"} ***`)
  process.exit(255)
}
