import { Fault } from "../../firmware/errors.ts"
import { CONSUMER, describeLines, type GpiodVersion } from "./syntax.ts"
import type { ToolEnd, Tools } from "./tools.ts"

/** The GPIO chip behind the 40-pin header, as the gpiod tools name it. */
export interface Chip {
  /** Such as "gpiochip0": the number changes between kernels, the label does not. */
  readonly name: string
  readonly label: string
  readonly lines: number
  readonly version: GpiodVersion
}

/** What the kernel says of one line. */
export interface LineState {
  readonly pin: number
  readonly direction: "input" | "output"
  /** Who holds it; "kernel" for a driver that gives no name; null: nobody. */
  readonly consumer: string | null
}

/**
 * Finds the chip by its label.
 * @throws Fault "usage", definite: tools missing, no such chip, or no permission; "unsupported": a gpiod that is too old.
 */
export async function findChip(tools: Tools, label: string): Promise<Chip> {
  const [told, found] = await Promise.all([
    tools.run("gpiodetect", ["--version"]),
    tools.run("gpiodetect", []),
  ])
  const version = parseVersion(told.output)
  const chips = parseChips(found.output)
  const chip = chips.find((one) => one.label === label)
  if (chip) return { ...chip, version }
  if (/Permission denied/.test(found.reason)) throw noPermission()
  if (!found.ok) throw new Fault("unavailable", `GPIO: ${found.reason}`)
  const labels = [...new Set(chips.map((one) => `"${one.label}"`))].join(", ")
  if (!labels)
    throw new Fault("usage", "GPIO: this machine has no GPIO chip; is it a Raspberry Pi with its own kernel?")
  throw new Fault(
    "usage",
    label
      ? `GPIO: there is no chip with the label "${label}"; set gpio.chipLabel to one of ${labels}`
      : `GPIO: which chip is not known for this board; set gpio.chipLabel to one of ${labels}`,
  )
}

/** @throws Fault "unsupported", definite. */
export function parseVersion(text: string): GpiodVersion {
  const [, major, minor] = /\(libgpiod\) v(\d+)\.(\d+)/.exec(text) ?? []
  if (major === "2") return 2
  // Pull-downs came with 1.5; 1.6 is what was tried.
  if (major === "1" && Number(minor) >= 6) return 1
  throw new Fault(
    "unsupported",
    "GPIO: these gpiod tools are not of version 1.6 or 2; install Debian's gpiod",
  )
}

/** Lines of gpiodetect, such as "gpiochip0 [pinctrl-bcm2711] (58 lines)"; others are left out. */
export function parseChips(text: string): Omit<Chip, "version">[] {
  return [...text.matchAll(/^(\S+) \[(.*)\] \((\d+) lines\)$/gm)].map(([, name = "", label = "", lines]) => ({
    name,
    label,
    lines: Number(lines),
  }))
}

/** @throws Fault "unavailable": gpioinfo does not tell. */
export async function readLines(tools: Tools, chip: Chip, pins: readonly number[]): Promise<LineState[]> {
  const told = await tools.run("gpioinfo", describeLines(chip.version, chip.name, pins))
  const states = parseLines(chip.version, told.output).filter(({ pin }) => pins.includes(pin))
  if (!told.ok || states.length < pins.length) throw new Fault("unavailable", `GPIO: ${told.reason}`)
  return states
}

/**
 * Lines of gpioinfo; others are left out.
 *
 *   1   "	line  22:     "GPIO22"    "gpioset"  output  active-high [used pull-down]"
 *   2   "gpiochip0 22	"GPIO22"        	output bias=pull-down consumer="obscura""
 *
 * Names may hold anything but a quotation mark.
 */
export function parseLines(version: GpiodVersion, text: string): LineState[] {
  const shape =
    version === 1
      ? /^[ \t]*line[ \t]+(?<pin>\d+):[ \t]+(?:"[^"]*"|unnamed)[ \t]+(?:"(?<name>[^"]*)"|(?<plain>unused|kernel))[ \t]+(?<direction>input|output)[ \t]+active-(?:high|low)[ \t]*(?<used>\[used[^\]]*\])?/gm
      : /^\S+ (?<pin>\d+)\t(?:"[^"]*"|unnamed) *\t(?<direction>input|output)(?:(?! consumer=).)*(?<used> consumer="(?<name>[^"]*)")?/gm
  return [...text.matchAll(shape)].map(({ groups = {} }) => ({
    pin: Number(groups.pin),
    direction: groups.direction === "output" ? "output" : "input",
    consumer: groups.used ? (groups.name ?? "kernel") : null,
  }))
}

/** Whether one of our tools may be the holder: version 1 gives every gpioset and gpiomon of this machine one name. */
export function isOurs(chip: Chip, state: LineState, tool: "gpioset" | "gpiomon"): boolean {
  return state.consumer === (chip.version === 1 ? tool : CONSUMER)
}

/** Why a tool did not get its lines, in words that help. */
export async function explain(
  tools: Tools,
  chip: Chip,
  pins: readonly number[],
  end: ToolEnd,
): Promise<Fault> {
  if (/Permission denied/.test(end.reason)) return noPermission()
  if (!/Device or resource busy/.test(end.reason))
    return new Fault("unavailable", `GPIO ${pins.join(", ")}: ${end.reason}`)
  const taken = (await readLines(tools, chip, pins)).find((state) => state.consumer !== null)
  return taken ? inUse(taken) : new Fault("unavailable", `GPIO ${pins.join(", ")}: was in use just now`)
}

export function inUse({ pin, consumer }: LineState): Fault {
  return new Fault("unavailable", `GPIO ${pin}: is in use by "${consumer}"; stop that, or choose another pin`)
}

function noPermission(): Fault {
  return new Fault(
    "usage",
    "GPIO: no permission; the camera's user has to be in the group gpio: sudo usermod -aG gpio USER, then log in anew",
  )
}
