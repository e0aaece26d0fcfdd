import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Health, HealthReading } from "../firmware/ports.ts"

/** Bit 2 of the Pi firmware's get_throttled word: throttled now. */
const THROTTLED_NOW = 1 << 2

/**
 * What the kernel says of the Pi, from sysfs mounted at `sys`; null for whatever this kernel does not tell.
 *
 *   class/thermal/thermal_zone0/temp                       thousandths of a degree
 *   class/hwmon/<the one named rpi_volt>/in0_lcrit_alarm   1: undervoltage
 *   devices/platform/soc/soc:firmware/get_throttled        bits, hex; Raspberry Pi's own kernels only
 */
export function sysfsHealth(sys = "/sys"): Health {
  return {
    async read(): Promise<HealthReading> {
      const [temperature, alarm, throttled] = await Promise.all([
        numberIn(join(sys, "class/thermal/thermal_zone0/temp"), 10),
        undervoltageAlarm(join(sys, "class/hwmon")),
        numberIn(join(sys, "devices/platform/soc/soc:firmware/get_throttled"), 16),
      ])
      return {
        temperatureCelsius: temperature === null ? null : temperature / 1_000,
        undervoltage: alarm === null ? null : alarm !== 0,
        throttled: throttled === null ? null : (throttled & THROTTLED_NOW) !== 0,
      }
    },
  }
}

async function undervoltageAlarm(monitors: string): Promise<number | null> {
  for (const monitor of await readdir(monitors).catch(absent<string[]>([])))
    if ((await text(join(monitors, monitor, "name"))) === "rpi_volt")
      return numberIn(join(monitors, monitor, "in0_lcrit_alarm"), 10)
  return null
}

async function numberIn(file: string, radix: number): Promise<number | null> {
  const value = Number.parseInt((await text(file)) ?? "", radix)
  return Number.isNaN(value) ? null : value
}

async function text(file: string): Promise<string | null> {
  const content = await readFile(file, "utf8").catch(absent<null>(null))
  return content === null ? null : content.trim()
}

// sysfs answers ENODATA, EIO and the like for a sensor that has nothing to say: the same as not being there.
function absent<T>(instead: T): () => T {
  return () => instead
}
