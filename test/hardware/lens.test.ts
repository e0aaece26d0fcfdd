import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { chooseLens } from "../../hardware/lens/choose.ts"
import { PI_5, STAND_INS, type StandInCamera, standInCamera } from "./stand-in-camera.ts"

/** A PATH with node and a shell, and no camera programs. */
function withoutCameraPrograms(camera: StandInCamera): StandInCamera {
  const bin = join(camera.folder, "bin")
  mkdirSync(bin)
  symlinkSync(process.execPath, join(bin, "node"))
  for (const name of ["sh", "env", "dirname", "mkfifo"]) symlinkSync(`/usr/bin/${name}`, join(bin, name))
  camera.env.PATH = bin
  return camera
}

const RASPIVID = { raspividPath: join(STAND_INS, "raspivid") }
const NOWHERE = { raspividPath: "/nowhere/raspivid" }

describe("the lens is chosen, and the log says why", () => {
  test("rpicam-vid where it is on the PATH", async () => {
    const camera = standInCamera()
    await chooseLens({ ...camera, ...RASPIVID })
    expect(camera.lines).toEqual([
      {
        event: "lens chosen",
        lens: "rpicam-vid",
        reason: `it is there: ${STAND_INS}/rpicam-vid, encoded by the board, with its timestamps`,
      },
    ])
    expect(camera.calls().map(({ argv }) => argv)).toEqual([["--help"]])
  })

  test("without timestamps on a board that encodes on its processor", async () => {
    const camera = standInCamera({}, { model: PI_5 })
    await chooseLens(camera)
    expect(camera.lines).toMatchObject([
      { reason: expect.stringMatching(/encoded on the processor, times by the nominal frame rate$/) },
    ])
  })

  test("the raspicam package where there is raspivid alone", async () => {
    const camera = withoutCameraPrograms(standInCamera())
    await chooseLens({ ...camera, ...RASPIVID })
    expect(camera.lines).toMatchObject([
      { lens: "raspicam", reason: `there is no rpicam-vid; raspivid is ${RASPIVID.raspividPath}` },
    ])
  })

  test("the raspicam package where the settings ask for it", async () => {
    const camera = standInCamera({ use: "raspicam" })
    await chooseLens({ ...camera, ...RASPIVID })
    expect(camera.lines).toMatchObject([
      { lens: "raspicam", reason: expect.stringMatching(/^the settings ask for it/) },
    ])
  })

  test.each([
    ["neither is there", "auto", /no rpicam-vid on the PATH and no .*raspivid.*apt install rpicam-apps-lite/],
    ["rpicam-vid is asked for and not there", "rpicam-vid", /no rpicam-vid on the PATH: .*apt install/],
    ["raspicam is asked for and not there", "raspicam", /no \/nowhere\/raspivid: .*obscura-camera shim/],
  ])("%s: it says what to install", async (_what, use, message) => {
    const camera = withoutCameraPrograms(standInCamera({ use }))
    await expect(chooseLens({ ...camera, ...NOWHERE })).rejects.toMatchObject({
      kind: "unavailable",
      definite: true,
      message: expect.stringMatching(message),
    })
  })

  test("an rpicam-vid that does not run is told with what it said", async () => {
    const camera = withoutCameraPrograms(standInCamera())
    const broken = "#!/bin/sh\necho 'error while loading shared libraries: libcamera.so.0.5' >&2\nexit 127\n"
    writeFileSync(join(camera.folder, "bin/rpicam-vid"), broken, { mode: 0o755 })
    await expect(chooseLens(camera)).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringMatching(/rpicam-vid does not run: error while loading shared libraries/),
    })
  })

  test("motion detection that raspivid does not have is refused", async () => {
    const camera = standInCamera({ use: "raspicam", motionDetection: true })
    await expect(chooseLens({ ...camera, ...RASPIVID })).rejects.toMatchObject({
      message: expect.stringMatching(/set lens.motionDetection to false/),
    })
  })

  test("a watch for motion is there when the settings ask for one, and only then", async () => {
    expect((await chooseLens(standInCamera())).watchMotion).toBeUndefined()
    expect((await chooseLens(standInCamera({ motionDetection: true }))).watchMotion).toBeDefined()
  })
})
