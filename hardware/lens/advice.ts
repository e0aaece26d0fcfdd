/**
 * What camera programs say on their standard error, and what to do about it. rpicam-vid ends with
 * `ERROR: *** … ***` and exit 255; libcamera logs `[0:01:02.345] [678] ERROR V4L2 …` before that, which often says more.
 */

interface Trouble {
  readonly said: RegExp
  readonly means: string
}

/** In order: the first that fits. */
const TROUBLES: readonly Trouble[] = [
  {
    said: /no cameras available/i,
    means:
      "no camera is found: switch the power off, seat the ribbon cable at both ends, and see that `rpicam-hello --list-cameras` lists it",
  },
  {
    said: /selected camera is not available/i,
    means:
      "there is no camera of that number: set lens.camera to one that `rpicam-hello --list-cameras` lists",
  },
  {
    said: /in use by another process|failed to acquire camera|couldn't be enabled/i,
    means: "another program is using the camera: stop it (`sudo fuser -v /dev/media*` names it)",
  },
  {
    said: /failed to allocate (?:capture )?buffers|cannot allocate memory|dma.?heap/i,
    means:
      "the board is out of camera memory (CMA): choose a smaller camera.lens.width and height, or set dtoverlay=vc4-kms-v3d,cma-256 in config.txt",
  },
  {
    said: /failed to start camera/i,
    means: "the camera does not start: check the ribbon cable and the power supply, then restart the board",
  },
  {
    said: /failed to open V4L2 H264 encoder/i,
    means: "this board has no hardware encoder that rpicam-vid can open: update rpicam-apps",
  },
  {
    said: /libav: (?:cannot find video encoder|cannot allocate output context)|unable to find an appropriate .*codec/i,
    means:
      "rpicam-vid cannot encode H.264 on this board: `sudo apt install rpicam-apps` puts one that can in the place of rpicam-apps-lite",
  },
  {
    said: /unrecognised option|invalid command line option|Incompatible options/i,
    means: "the camera program does not know what it is asked for: update rpicam-apps",
  },
  {
    said: /permission denied/i,
    means: "the camera may not be opened: add the user to the group video, and start anew",
  },
  {
    said: /camera is not (?:detected|enabled)/i,
    means: "the legacy camera stack finds no camera: check the ribbon cable and `vcgencmd get_camera`",
  },
]

/** The camera may mend itself, or gives pictures but sees no motion: it is said, and not the end. */
const WARNING =
  /no post processing stage found|device timeout detected|camera frontend has timed out|dequeue timer of .* has expired/i
const ERROR = /\bERROR\b|\bFATAL\b|raspivid: |^mmal: /

const LINES_KEPT = 20
const ENDING = /ERROR: \*\*\* (.*) \*\*\*/

/** Listens to what one run of a camera program says. */
export class Complaints {
  readonly #onWarning: (line: string) => void
  readonly #warned = new Set<string>()
  #lines: string[] = []

  /** `onWarning` hears of each kind of warning once. */
  constructor(onWarning: (line: string) => void) {
    this.#onWarning = onWarning
  }

  hear(line: string): void {
    const [warning] = WARNING.exec(line) ?? []
    if (warning !== undefined && !this.#warned.has(warning)) {
      this.#warned.add(warning)
      this.#onWarning(line)
    }
    if (!ERROR.test(line)) return
    this.#lines.push(line)
    if (this.#lines.length > LINES_KEPT) this.#lines.shift()
  }

  /** Why it failed and what to do, as far as it said: the advice, else its own last error; null: it said nothing. */
  explain(): string | null {
    const trouble = TROUBLES.find(({ said }) => this.#lines.some((line) => said.test(line)))
    const last = this.#lines.findLast((line) => ENDING.test(line)) ?? this.#lines.at(-1)
    return trouble?.means ?? last?.replace(ENDING, "$1") ?? null
  }
}
