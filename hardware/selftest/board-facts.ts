import { readFile } from "node:fs/promises"
import { release, version } from "node:os"
import { join } from "node:path"
import type { PiModel } from "../model.ts"
import { VERSION } from "../program/version.ts"
import type { BoardFacts } from "./record.ts"

/** Which board this is, as kernel and system say; `serial`, when given, counts instead of the board's own. */
export async function boardFacts(model: PiModel, serial: string | null, root = "/"): Promise<BoardFacts> {
  return {
    serial: serial ?? (await serialNumber(join(root, "proc"))),
    model: model.name,
    operatingSystem: await systemName(join(root, "etc/os-release")),
    kernel: `${release()} ${version()}`,
    firmware: VERSION,
    node: process.version,
  }
}

/** Sixteen hex digits on a Pi; null: this board tells none. */
export async function serialNumber(proc: string): Promise<string | null> {
  const tree = (await text(join(proc, "device-tree/serial-number"))).replaceAll("\0", "").trim()
  const info = /^Serial\s*:\s*(\S+)$/m.exec(await text(join(proc, "cpuinfo")))?.[1]
  const serial = tree || info || ""
  // A board whose fuses say nothing says noughts, as all of its kind do.
  return isSerial(serial) && !/^0+$/.test(serial) ? serial : null
}

/** What a label and a record can hold. */
export function isSerial(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
}

async function systemName(file: string): Promise<string> {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(await text(file))?.[1] ?? "unknown"
}

// What is not there says nothing.
async function text(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "")
}
