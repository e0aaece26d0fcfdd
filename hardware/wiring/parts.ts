import type { CameraConfig } from "../../firmware/config.ts"
import { Fault } from "../../firmware/errors.ts"
import { HEADER, type HeaderPin, pinOfGpio, rowOf } from "./header.ts"

/** Something that is wired to the header. */
export interface Part {
  readonly symbol: "sensor" | "button" | "light" | "filter" | "servo"
  readonly name: string
  /** What to buy, and what stands between it and the header. */
  readonly note: string
  /** Of its signal wire. */
  readonly colour: string
  readonly terminals: readonly Terminal[]
}

export interface Terminal {
  readonly name: string
  readonly pin: HeaderPin
}

type Supply = Exclude<HeaderPin["carries"], "GPIO">

/** A part before its supply is picked: at each terminal what it wants there. */
interface Wish extends Omit<Part, "terminals"> {
  readonly gpio: number | undefined
  readonly wants: readonly (readonly [name: string, supply: Supply | "signal"])[]
}

/**
 * The parts of a camera with these pins, from the header's top to its bottom. No two share a pin: each supply is the
 * nearest that is free.
 */
export function partsFor(pins: CameraConfig["pins"]): Part[] {
  const free = new Set(HEADER.filter(({ gpio }) => gpio === null))
  return wishes(pins)
    .flatMap((wish) => (wish.gpio === undefined ? [] : [{ wish, signal: pinOfGpio(wish.gpio) }]))
    .sort((a, b) => rowOf(a.signal) - rowOf(b.signal))
    .map(({ wish: { wants, gpio: _, ...part }, signal }) => ({
      ...part,
      terminals: wants.map(([name, supply]) => ({
        name,
        pin: supply === "signal" ? signal : take(free, supply, signal),
      })),
    }))
}

function wishes(pins: CameraConfig["pins"]): Wish[] {
  return [
    {
      ...{
        symbol: "sensor",
        name: "Motion sensor (PIR)",
        note: "HC-SR501; its output is 3.3 V",
        colour: "#1f6fd1",
      },
      gpio: pins.motion,
      wants: [
        ["VCC", "5 V"],
        ["OUT", "signal"],
        ["GND", "ground"],
      ],
    },
    {
      ...{ symbol: "button", name: "Bell button", note: "closes to 3.3 V, never to 5 V", colour: "#1a8a4a" },
      gpio: pins.bell,
      wants: [
        ["one side", "3.3 V"],
        ["other side", "signal"],
      ],
    },
    {
      ...{
        symbol: "button",
        name: "Reset button",
        note: "inside the case; closes to 3.3 V, never to 5 V",
        colour: "#5d7a00",
      },
      gpio: pins.reset,
      wants: [
        ["one side", "3.3 V"],
        ["other side", "signal"],
      ],
    },
    {
      ...{ symbol: "light", name: "Recording light", note: "red LED, 330 Ω before it", colour: "#c2188b" },
      gpio: pins.light,
      wants: [
        ["330 Ω, long leg", "signal"],
        ["short leg", "ground"],
      ],
    },
    {
      ...{ symbol: "light", name: "Status light", note: "green LED, 330 Ω before it", colour: "#7a4bd0" },
      gpio: pins.status,
      wants: [
        ["330 Ω, long leg", "signal"],
        ["short leg", "ground"],
      ],
    },
    {
      ...{
        symbol: "filter",
        name: "Infrared-cut filter",
        note: "switch input of the camera module",
        colour: "#008c99",
      },
      gpio: pins.infraredCut,
      wants: [
        ["switch", "signal"],
        ["GND", "ground"],
      ],
    },
    {
      ...{ symbol: "servo", name: "Shutter servo", note: "SG90: brown, red, orange", colour: "#a86400" },
      gpio: pins.shutter,
      wants: [
        ["brown", "ground"],
        ["red", "5 V"],
        ["orange", "signal"],
      ],
    },
  ]
}

function take(free: Set<HeaderPin>, supply: Supply, near: HeaderPin): HeaderPin {
  const distance = (pin: HeaderPin) => Math.abs(rowOf(pin) - rowOf(near))
  const [nearest] = [...free]
    .filter(({ carries }) => carries === supply)
    .sort((a, b) => distance(a) - distance(b))
  if (!nearest) throw new Fault("broken", `wiring: no pin with ${supply} is left`)
  free.delete(nearest)
  return nearest
}
