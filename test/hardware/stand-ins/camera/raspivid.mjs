/**
 * A stand-in for raspivid of the legacy camera stack (raspivid(1)): it refuses what that refuses, and shows footage.
 * `shoot.mjs` has the environment. Its modes: no-camera and busy, exit 70 before the first picture; crash, stall, wedged.
 */
import { unitsIn } from "./footage.mjs"
import { modes, noteCall, noteStop, say, shoot, standIn } from "./shoot.mjs"

const FLAGS =
  "inline flush nopreview fullscreen hflip vflip verbose vstab penc spstimings stats settings".split(" ")
const VALUES =
  "width height output timeout bitrate framerate intra profile level codec rotation camselect preview roi shutter ISO ev awb awbgains brightness contrast saturation sharpness exposure metering qp slices irefresh mode imxfx colfx drc opacity save-pts annotate initial".split(
    " ",
  )

const BEFORE_PICTURES = {
  "no-camera": [
    "mmal: mmal_vc_component_create: failed to create component 'vc.ril.camera' (1:ENOMEM)",
    "mmal: mmal_component_create_core: could not create component 'vc.ril.camera' (1)",
    "mmal: Failed to create camera component",
    "mmal: main: Failed to create camera component",
    "mmal: Camera is not detected. Please check carefully the camera module is installed correctly",
  ],
  busy: [
    "mmal: mmal_vc_component_enable: failed to enable component: ENOSPC",
    "mmal: camera component couldn't be enabled",
    "mmal: main: Failed to create camera component",
    "mmal: Failed to run camera app. Please check for firmware updates",
  ],
}

function parse(argv) {
  const given = {}
  for (let at = 0; at < argv.length; at++) {
    const name = argv[at].replace(/^--/, "")
    if (argv[at].startsWith("--") && FLAGS.includes(name)) given[name] = true
    else if (argv[at].startsWith("--") && VALUES.includes(name) && at + 1 < argv.length)
      given[name] = argv[++at]
    else {
      say(`Invalid command line option (${argv[at]})`)
      process.exit(64)
    }
  }
  return given
}

noteCall("raspivid")
const { framerate = 30, timeout = 5_000, output } = parse(process.argv.slice(2))
for (const [mode, lines] of Object.entries(BEFORE_PICTURES)) {
  if (!modes.has(mode)) continue
  for (const line of lines) say(line)
  process.exit(70)
}
let stop = output !== "-"
process.on("SIGINT", () => {
  noteStop()
  process.exit(130)
})
if (Number(timeout) > 0) setTimeout(() => (stop = true), Number(timeout))
const units = unitsIn(standIn("FOOTAGE"))
try {
  await shoot({
    framesPerSecond: Number(framerate),
    pictureAt: (index) => units[index % units.length],
    onPicture: () => undefined,
    over: () => stop,
  })
  process.exit(0)
} catch (error) {
  say(`mmal: Failed to write buffer data (${error.code}) - aborting`)
  process.exit(70)
}
