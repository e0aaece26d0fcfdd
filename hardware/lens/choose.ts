import { Fault } from "../../firmware/errors.ts"
import type { Lens } from "../../firmware/ports.ts"
import { findExecutable, isExecutable } from "./process.ts"
import { RASPIVID, RaspicamLens } from "./raspicam.ts"
import { RpicamLens, type RpicamOptions } from "./rpicam.ts"
import {
  givesTimestamps,
  packageFor,
  probeRpicamVid,
  type RpicamVid,
  refuseTooLittle,
} from "./rpicam-options.ts"

/** rpicam-vid is looked for on the PATH of its `env`; `runtimeDirectory` does not outlive the boot. */
export interface LensChoice extends Omit<RpicamOptions, "vid"> {
  /** Default: where the raspicam package looks. */
  readonly raspividPath?: string
}

/**
 * The lens of this board: rpicam-vid when it is there, else the raspicam package where raspivid is, and a line in the log
 * that says why. It does not start the camera.
 *
 * @throws Fault "unavailable", definite, with what to install.
 */
export async function chooseLens(choice: LensChoice): Promise<Lens> {
  const { settings, model, log, raspividPath = RASPIVID } = choice
  const vid = settings.use === "raspicam" ? null : await findRpicamVid(choice.env)
  if (vid) {
    refuseTooLittle(vid, model, settings)
    log.write({ event: "lens chosen", lens: "rpicam-vid", reason: whyRpicam(vid, choice) })
    return new RpicamLens({ ...choice, vid })
  }
  if (settings.use !== "rpicam-vid" && (await isExecutable(raspividPath))) {
    if (settings.motionDetection)
      throw new Fault("unavailable", "raspivid cannot look for motion: set lens.motionDetection to false")
    const why = settings.use === "raspicam" ? "the settings ask for it" : "there is no rpicam-vid"
    log.write({ event: "lens chosen", lens: "raspicam", reason: `${why}; raspivid is ${raspividPath}` })
    return new RaspicamLens(choice)
  }
  throw new Fault("unavailable", whatToInstall(choice, raspividPath))
}

/** The rpicam-vid on the PATH of `env`; null: there is none. @throws Fault "unavailable", definite: it does not run. */
export async function findRpicamVid(env: NodeJS.ProcessEnv): Promise<RpicamVid | null> {
  const path = await findExecutable("rpicam-vid", env)
  return path === null ? null : probeRpicamVid(path, env)
}

function whyRpicam(vid: RpicamVid, { settings, model }: LensChoice): string {
  const why = settings.use === "auto" ? "it is there" : "the settings ask for it"
  const times = givesTimestamps(vid, model) ? "with its timestamps" : "times by the nominal frame rate"
  return `${why}: ${vid.path}, ${model.hasHardwareEncoder ? "encoded by the board" : "encoded on the processor"}, ${times}`
}

function whatToInstall({ settings: { use }, model }: LensChoice, raspividPath: string): string {
  if (use === "raspicam")
    return `the settings ask for raspicam, but there is no ${raspividPath}: on a system with rpicam-vid, \`sudo obscura-camera shim\` puts one there; or set lens.use to auto`
  const legacy = use === "auto" ? ` and no ${raspividPath}` : ""
  return `there is no rpicam-vid on the PATH${legacy}: \`sudo apt install ${packageFor(model)}\``
}
