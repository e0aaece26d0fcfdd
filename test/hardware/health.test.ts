import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect, test } from "vitest"
import { sysfsHealth } from "../../hardware/health.ts"

const unknown = { temperatureCelsius: null, undervoltage: null, throttled: null }

async function healthOf(files: Record<string, string>) {
  const sys = await mkdtemp(join(tmpdir(), "obscura-sys-"))
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(sys, path)), { recursive: true })
      await writeFile(join(sys, path), text)
    }
    return await sysfsHealth(sys).read()
  } finally {
    await rm(sys, { recursive: true })
  }
}

test("a Pi that is hot, short of power and throttled says so", async () => {
  const health = await healthOf({
    "class/thermal/thermal_zone0/temp": "81234\n",
    "class/hwmon/hwmon0/name": "cpu_thermal\n",
    "class/hwmon/hwmon0/in0_lcrit_alarm": "0\n",
    "class/hwmon/hwmon1/name": "rpi_volt\n",
    "class/hwmon/hwmon1/in0_lcrit_alarm": "1\n",
    "devices/platform/soc/soc:firmware/get_throttled": "50005\n",
  })
  expect(health).toEqual({ temperatureCelsius: 81.234, undervoltage: true, throttled: true })
})

test("what happened earlier in this boot is over", async () => {
  const health = await healthOf({ "devices/platform/soc/soc:firmware/get_throttled": "50000\n" })
  expect(health).toEqual({ ...unknown, throttled: false })
})

test("a board that tells nothing, or nonsense, is unknown", async () => {
  expect(await healthOf({})).toEqual(unknown)
  expect(await healthOf({ "class/thermal/thermal_zone0/temp": "hot\n" })).toEqual(unknown)
})
