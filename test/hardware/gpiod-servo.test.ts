import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, watch, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import { Servo } from "../../hardware/gpiod/servo.ts"
import { gpiodRig, hurriedClock } from "./gpiod-rig.ts"

/** A sysfs folder of PWM chips as the kernel makes it; a channel appears when it is exported. */
function pwmFolder(
  chips: Readonly<Record<string, { readonly device: string; readonly channels: number }>>,
): string {
  const folder = mkdtempSync(join(tmpdir(), "pwm-"))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, { device, channels }] of Object.entries(chips)) {
    const chip = join(folder, "class", name)
    mkdirSync(join(folder, "devices", device), { recursive: true })
    mkdirSync(chip, { recursive: true })
    symlinkSync(join(folder, "devices", device), join(chip, "device"))
    for (const [file, text] of [
      ["npwm", `${channels}\n`],
      ["export", ""],
      ["unexport", ""],
    ] as const)
      writeFileSync(join(chip, file), text)
    const watcher = watch(join(chip, "export"), () => {
      const channel = readFileSync(join(chip, "export"), "utf8")
      if (channel) mkdirSync(join(chip, `pwm${channel}`), { recursive: true })
    })
    onTestFinished(() => watcher.close())
  }
  return join(folder, "class")
}

const PI_4 = {
  pwmchip0: { device: "fe20c800.pwm", channels: 2 },
  pwmchip1: { device: "fe20c000.pwm", channels: 2 },
}
const PI_5 = { pwmchip0: { device: "1f00098000.pwm", channels: 4 } }

function openServo(pwm: string, pin: number, onRp1 = false): Promise<Servo> {
  const clock = hurriedClock()
  clock.hurry = 10
  return Servo.open({ pin, pwm, onRp1, clock })
}

describe("the shutter's servo", () => {
  test("gets its pulse of the header's PWM, 20 ms apart, once driven", async () => {
    const pwm = pwmFolder(PI_4)
    const servo = await openServo(pwm, 13)
    const read = (file: string) => readFileSync(join(pwm, "pwmchip1/pwm1", file), "utf8")
    servo.write(600)
    servo.write(1_500)
    await servo.driven()
    expect([read("period"), read("duty_cycle"), read("enable")]).toEqual(["20000000", "1500000", "1"])
    await servo.close()
    expect(read("enable")).toBe("0")
    expect(readFileSync(join(pwm, "pwmchip1/unexport"), "utf8")).toBe("1")
    await expect(servo.driven()).rejects.toMatchObject({ kind: "unavailable" })
  })

  test("is on another channel of a Pi 5", async () => {
    const pwm = pwmFolder(PI_5)
    const servo = await openServo(pwm, 18, true)
    servo.write(1_000)
    await servo.driven()
    expect(readFileSync(join(pwm, "pwmchip0/pwm2/duty_cycle"), "utf8")).toBe("1000000")
    await servo.close()
  })

  test("says what config.txt lacks", async () => {
    const noHeader = pwmFolder({ pwmchip0: { device: "fe20c800.pwm", channels: 2 } })
    for (const pwm of [noHeader, join(noHeader, "nowhere")])
      await expect(openServo(pwm, 18)).rejects.toMatchObject({
        kind: "usage",
        message: expect.stringContaining("dtoverlay=pwm,pin=18,func=2"),
      })
  })

  test("says which pins have PWM", async () => {
    await expect(openServo(pwmFolder(PI_4), 5)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("12, 13, 18, 19"),
    })
  })

  test("refuses what is no pulse for a servo", async () => {
    const servo = await openServo(pwmFolder(PI_4), 12)
    for (const pulse of [0, 90, 20_000, Number.NaN])
      expect(() => servo.write(pulse)).toThrow(expect.objectContaining({ kind: "usage" }))
    await servo.close()
  })

  test("says of a pulse that the kernel did not take that it is not driven", async () => {
    const pwm = pwmFolder(PI_4)
    const servo = await openServo(pwm, 12)
    rmSync(join(pwm, "pwmchip1/pwm0"), { recursive: true })
    servo.write(1_000)
    await expect(servo.driven()).rejects.toMatchObject({ kind: "unavailable" })
  })

  test("is one of the pins: johnny-five's number for it is SERVO, and driven waits for it", async () => {
    const pwm = pwmFolder(PI_4)
    const rig = await gpiodRig(2, onTestFinished)
    const io = await rig.open({ pins: parseConfig({ pins: { shutter: 12 } }).pins, pwm })
    expect(io.pins[12]?.supportedModes).toEqual([io.MODES.SERVO])
    io.pinMode(12, io.MODES.SERVO)
    io.servoWrite(12, 1_200)
    await io.driven(12)
    expect(readFileSync(join(pwm, "pwmchip1/pwm0/duty_cycle"), "utf8")).toBe("1200000")
  })
})
