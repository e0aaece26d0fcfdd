import { Fault } from "../../firmware/errors.ts"

/** Whom a label is for. None of it is a secret; none of it helps to pair. */
export interface Labelled {
  /** 40 hex digits. */
  readonly device: string
  /** null: the board tells none. */
  readonly serial: string | null
  readonly model: string
}

/** `obscura:camera?id=<40 hex digits>&serial=<number>`; without the last where there is none. */
export function labelText({ device, serial }: Pick<Labelled, "device" | "serial">): string {
  if (!/^[0-9a-f]{40}$/.test(device)) throw new Fault("usage", "label: a device id has 40 hex digits")
  return `obscura:camera?id=${device}${serial === null ? "" : `&serial=${encodeURIComponent(serial)}`}`
}

/** The first of the id, in fours: for the eye. Nobody can make a key whose id begins so in less than 2^48 tries. */
export function shortForm(device: string): string {
  return (device.slice(0, 12).match(/.{4}/g) ?? []).join(" ")
}
