import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import { findRpicamVid } from "../../hardware/lens/choose.ts"
import {
  optionsIn,
  packageFor,
  pictureArguments,
  type RpicamVid,
  refuseTooLittle,
  type VideoRun,
  videoArguments,
} from "../../hardware/lens/rpicam-options.ts"
import { type LensSettings, parseSettings } from "../../hardware/settings.ts"
import { PI_4, PI_5, STAND_INS, standInCamera } from "./stand-in-camera.ts"

async function vidOf(version: string): Promise<RpicamVid> {
  const { env } = standInCamera()
  const vid = await findRpicamVid({ ...env, STAND_IN_HELP: version })
  if (!vid) throw new Error("the stand-in is not on the PATH")
  return vid
}

function run(
  { mode = "day", ...lens }: Partial<LensSettings> = {},
  config: object = {},
  more: Partial<VideoRun> = {},
): VideoRun {
  return {
    config: parseConfig({ lens: config }).lens,
    settings: { ...parseSettings({ lens }, PI_4).lens, mode },
    model: PI_4,
    postProcessFile: null,
    timestampsFile: null,
    ...more,
  }
}

describe("what rpicam-vid is asked", () => {
  test("by default", async () => {
    expect(videoArguments(await vidOf("1.13"), run()).join(" ")).toBe(
      "--nopreview --timeout 0 --camera 0 --codec h264 --inline --flush --libav-format h264 --low-latency " +
        "--width 1280 --height 720 --framerate 15 --intra 15 --bitrate 2000000 --output -",
    )
  })

  test("an option that this version does not have is left out", async () => {
    const argv = videoArguments(await vidOf("1.5"), run())
    expect(argv).not.toContain("--low-latency")
    expect(argv).toContain("--libav-format")
  })

  test("rotation, night, another camera, motion, timestamps", async () => {
    const lens = { rotationDegrees: 180, mode: "night", camera: 1, motionDetection: true } as const
    const files = { postProcessFile: "/run/a.json", timestampsFile: "/run/times" }
    const argv = videoArguments(await vidOf("1.13"), run(lens, {}, files)).join(" ")
    for (const part of [
      "--camera 1 --rotation 180 --exposure long --saturation 0",
      "--lores-width 128 --lores-height 96 --post-process-file /run/a.json",
      "--save-pts /run/times --output -",
    ])
      expect(argv).toContain(part)
  })

  test.each([
    [15, 1_000, "15"],
    [25, 2_000, "50"],
    [1, 100, "1"],
    [12.5, 1_000, "13"],
  ])(
    "at %d frames a second and a key frame every %d ms, intra is %s",
    async (framesPerSecond, groupOfPictures, intra) => {
      const argv = videoArguments(await vidOf("1.13"), run({}, { framesPerSecond, groupOfPictures }))
      expect(argv[argv.indexOf("--intra") + 1]).toBe(intra)
    },
  )

  test("a level that fits is asked for when the pictures are too many for the default", async () => {
    const at = (framesPerSecond: number) => run({}, { width: 1920, height: 1080, framesPerSecond })
    const vid = await vidOf("1.13")
    expect(videoArguments(vid, at(30))).not.toContain("--level")
    expect(videoArguments(vid, at(50)).join(" ")).toContain("--level 4.2")
  })

  test("is understood by it, on each board, whatever the settings", async () => {
    for (const model of [PI_4, PI_5])
      for (const version of ["1.13", "1.5"])
        for (const lens of [{}, { rotationDegrees: 180, mode: "night", camera: 2 } as const]) {
          const vid = await vidOf(version)
          for (const argv of [
            videoArguments(vid, run(lens, {}, { model })),
            pictureArguments(run(lens).settings, SMALL),
          ]) {
            const { stderr } = spawnSync(vid.path, argv, {
              env: {
                ...standInCamera({}, { model }).env,
                STAND_IN_HELP: version,
                STAND_IN_MODES: "no-camera",
              },
              encoding: "utf8",
            })
            expect(stderr).toContain("*** no cameras available ***")
          }
        }
  })

  test("a Pi 5 is refused by an rpicam-vid without an encoder for it", async () => {
    const lite = await vidOf("lite")
    expect(() => refuseTooLittle(lite, PI_5, run().settings)).toThrow(
      /cannot encode on this board \(Raspberry Pi 5.*sudo apt install rpicam-apps/,
    )
    expect(() => refuseTooLittle(lite, PI_4, run().settings)).not.toThrow()
    expect([packageFor(PI_4), packageFor(PI_5)]).toEqual(["rpicam-apps-lite", "rpicam-apps"])
  })
})

const SMALL = { width: 640, height: 480, framesPerSecond: 4 }

describe("options are read from --help", () => {
  test("names at the beginning of a line, and no others", () => {
    const help = [
      "Valid options are:",
      "  -h [ --help ] [=arg(=1)] (=0)    Print this help message",
      "  --camera arg (=0)                To list the available indexes, use the --list-cameras option.",
      "  --libav-format arg               try --elsewhere",
      "                                   --not-an-option-of-its-own",
    ].join("\n")
    expect([...optionsIn(help)]).toEqual(["help", "camera", "libav-format"])
  })

  test.each(["", "\0\0", "--", "  --", "no options at all"])("nothing in %j", (help) => {
    expect(optionsIn(help).size).toBe(0)
  })
})

describe("the stand-in refuses what rpicam-vid refuses", () => {
  const refusal = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const { status, stderr } = spawnSync(join(STAND_INS, "rpicam-vid"), argv, {
      env: { ...standInCamera().env, ...env },
      encoding: "utf8",
    })
    return `${status} ${stderr.trim().split("\n").at(-1)}`
  }

  test.each([
    [["--sharpen"], "255 ERROR: *** unrecognised option '--sharpen' ***"],
    [
      ["--inline", "1"],
      "255 ERROR: *** too many positional options have been specified on the command line ***",
    ],
    [["--width"], "255 ERROR: *** the required argument for option '--width' is missing ***"],
    [["--width", "wide"], "255 ERROR: *** the argument ('wide') for option '--width' is invalid ***"],
    [["--rotation", "90"], "255 ERROR: *** transforms requiring transpose not supported ***"],
  ])("%j", (argv, said) => {
    expect(refusal(argv)).toBe(said)
  })

  test("on a Pi 5, standard output without a container, and timestamps", () => {
    const onPi5 = { STAND_IN_BOARD: "pi-5" }
    expect(refusal(["-o", "-"], onPi5)).toMatch(
      /cannot allocate output context, try setting with --libav-format/,
    )
    const times = ["-o", "-", "--libav-format", "h264", "--save-pts", "/dev/null"]
    expect(refusal(times, onPi5)).toMatch(/libav: Incompatible options selected/)
  })
})
