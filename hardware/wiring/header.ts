import { Fault } from "../../firmware/errors.ts"

/** One pin of the 40-pin header that every Pi since the B+ has. Odd numbers are the inner row, even the board's edge. */
export interface HeaderPin {
  /** 1 to 40, counted from the end where the SD card is. */
  readonly number: number
  readonly carries: "5 V" | "3.3 V" | "ground" | "GPIO"
  /** BCM number; null for what is no GPIO. */
  readonly gpio: number | null
}

const FIVE_VOLTS = [2, 4]
const THREE_VOLTS = [1, 17]
// All others are ground: 6, 9, 14, 20, 25, 30, 34, 39.
/** Header pin of GPIO 0, 1, 2 and so on. 0 and 1 are for HATs, but can be used. */
const GPIOS = [
  27, 28, 3, 5, 7, 29, 31, 26, 24, 21, 19, 23, 32, 33, 8, 10, 36, 11, 12, 35, 38, 40, 15, 16, 18, 22, 37, 13,
]

export const HEADER: readonly HeaderPin[] = Array.from({ length: 40 }, (_, i) => {
  const number = i + 1
  const gpio = GPIOS.indexOf(number)
  if (gpio !== -1) return { number, carries: "GPIO", gpio }
  const carries = FIVE_VOLTS.includes(number) ? "5 V" : THREE_VOLTS.includes(number) ? "3.3 V" : "ground"
  return { number, carries, gpio: null }
})

/** @throws Fault "usage", definite: no such GPIO on the header. */
export function pinOfGpio(gpio: number): HeaderPin {
  const pin = HEADER.find((each) => each.gpio === gpio)
  if (!pin) throw new Fault("usage", `GPIO ${gpio} is not on the header; 0 to 27 are`)
  return pin
}

export function labelOf({ carries, gpio }: HeaderPin): string {
  return gpio === null ? carries : `GPIO ${gpio}`
}

/** Counted from the top, 0 to 19. */
export function rowOf({ number }: HeaderPin): number {
  return Math.floor((number - 1) / 2)
}
