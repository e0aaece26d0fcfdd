import { describe, expect, test } from "vitest"
import { MiB } from "../../firmware/units.ts"
import { modelNamed } from "../../hardware/model.ts"
import { chipLabelFor, parseSettings, warmedUp } from "../../hardware/settings.ts"

const ZERO_2_W = modelNamed("Raspberry Pi Zero 2 W Rev 1.0")
const PI_3 = modelNamed("Raspberry Pi 3 Model B Plus Rev 1.3")
const PI_4 = modelNamed("Raspberry Pi 4 Model B Rev 1.5")
const PI_5 = modelNamed("Raspberry Pi 5 Model B Rev 1.0")
const OTHER = modelNamed("Some Board")

const lens = (width: number, height: number, framesPerSecond: number) => ({
  camera: { lens: { width, height, framesPerSecond } },
})
const ring = (ringBytesMax: number) => ({ camera: { recording: { ringBytesMax } } })

describe("settings that a board can keep are taken", () => {
  test.each([
    ["1080p at 30 on a Pi 3", PI_3, lens(1920, 1080, 30)],
    ["720p at 60 on a Pi 4", PI_4, lens(1280, 720, 60)],
    ["1080p at 60 on a Pi 5", PI_5, lens(1920, 1080, 60)],
    ["720p at 30 on a Zero 2 W", ZERO_2_W, lens(1280, 720, 30)],
    ["a size that is no multiple of 16", PI_4, lens(722, 480, 15)],
    ["the defaults on a board that nobody knows", OTHER, {}],
    ["64 MiB of pre-roll on a Zero 2 W", ZERO_2_W, ring(64 * MiB)],
  ])("%s", (_what, model, settings) => {
    expect(() => parseSettings(settings, model)).not.toThrow()
  })
})

describe("settings that a board cannot keep are refused, and the most it can is named", () => {
  test.each([
    [
      "1080p at 60 on a Pi 3",
      PI_3,
      lens(1920, 1080, 60),
      /1920 x 1080 at 60 frames a second .* at most 30 of/,
    ],
    ["1080p at 31 on a board that nobody knows", OTHER, lens(1920, 1080, 31), /at most 30 of that size/],
    ["720p at 31 on a Zero 2 W", ZERO_2_W, lens(1280, 720, 31), /31 frames a second .* at most 30/],
    ["an odd width", PI_4, lens(721, 480, 15), /721 x 480: width and height have to be even/],
    ["an odd height", PI_4, lens(720, 479, 15), /720 x 479: width and height have to be even/],
    ["more pixels than there is camera memory", ZERO_2_W, lens(1920, 1080, 5), /such as 1280 x 720/],
    ["a ring larger than the board", ZERO_2_W, ring(1e11), /ringBytesMax: 100000000000 .*; at most 67108864/],
    [
      "a reset button on the bell's wire",
      PI_4,
      { camera: { pins: { reset: 27 } } },
      /bell and reset are both/,
    ],
  ])("%s", (_what, model, settings, message) => {
    expect(() => parseSettings(settings, model)).toThrow(
      expect.objectContaining({ kind: "usage", message: expect.stringMatching(message) }),
    )
  })
})

test("a board that nobody knows is asked for its GPIO chip, with the settings file's name", () => {
  const settings = parseSettings({}, OTHER)
  expect(() => chipLabelFor(settings, OTHER, "/etc/obscura/camera.json")).toThrow(
    expect.objectContaining({
      ...{ kind: "usage", message: expect.stringMatching(/^\/etc\/obscura\/camera.json: gpio.chipLabel: /) },
    }),
  )
  expect(chipLabelFor({ gpio: { chipLabel: "mine" } }, PI_5, "")).toBe("mine")
  expect(chipLabelFor(settings, PI_5, "")).toBe("pinctrl-rp1")
})

test("a motion sensor that has had power for a while is warm that much sooner", () => {
  const { camera } = parseSettings({}, PI_4)
  expect(camera.motion.warmUp).toBe(60_000)
  expect(warmedUp(camera, 45_000).motion.warmUp).toBe(15_000)
  expect(warmedUp(camera, 3_600_000).motion.warmUp).toBe(0)
})
