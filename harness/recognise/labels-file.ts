import { readFile } from "node:fs/promises"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { labelsFromCoco } from "./coco.ts"
import { type Labels, labelsFromCsv } from "./labels.ts"

/** By its ending: .json is COCO's, anything else CSV. @throws Fault "usage" or "malformed", definite, naming the file. */
export async function readLabels(path: string): Promise<Labels> {
  let text: string
  try {
    text = await readFile(path, "utf8")
  } catch (cause) {
    throw new Fault("usage", `${path}: the labels cannot be read (${messageOf(cause)})`, { cause })
  }
  try {
    return /\.json$/i.test(path) ? labelsFromCoco(text) : labelsFromCsv(text)
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Fault(cause.kind, `${path}: ${cause.message}`, { cause })
  }
}
