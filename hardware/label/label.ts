import { chmod, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { encode, renderUnicodeCompact } from "uqr"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { labelSvg } from "./label-svg.ts"
import { type Labelled, labelText } from "./label-text.ts"

export interface Label {
  /** What the QR code says. */
  readonly text: string
  /** For a printer, 62 x 29 mm. */
  readonly svg: string
  /** For a terminal, dark on light. */
  readonly terminal: string
}

/** Print smears: a quarter of the code may be unreadable with "Q". */
const CORRECTION = "Q"
/** Modules of white around a QR code (ISO/IEC 18004 §9.1). */
const QUIET = 4

/** @throws Fault "usage", definite: no device id. */
export function label(labelled: Labelled): Label {
  const text = labelText(labelled)
  const { data } = encode(text, { ecc: CORRECTION, border: QUIET })
  return {
    text,
    svg: labelSvg(data, labelled),
    // uqr draws white modules as blocks, which on a dark terminal is dark on light.
    terminal: renderUnicodeCompact(text, { ecc: CORRECTION, border: QUIET }),
  }
}

/** Returns the file. @throws Fault "usage", definite: it cannot be written. */
export async function writeLabel(folder: string, device: string, { svg }: Label): Promise<string> {
  const file = join(folder, `obscura-${device.slice(0, 12)}.svg`)
  try {
    await writeFile(file, svg)
    await chmod(file, 0o644) // for whoever prints it, whatever our umask is
  } catch (cause) {
    throw new Fault("usage", `--label ${file}: cannot be written (${messageOf(cause)})`, { cause })
  }
  return file
}
