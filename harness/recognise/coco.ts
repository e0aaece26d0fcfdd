import { z } from "zod"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Label } from "../../firmware/ports.ts"
import { type FileTruth, type Labels, labelNamed, meansNothing } from "./labels.ts"

/** COCO's object detection format, as far as it says what is in which picture; also that of camera traps' data sets. */
const cocoShape = z.object({
  images: z.array(z.object({ id: z.union([z.int(), z.string()]), file_name: z.string().min(1) })),
  annotations: z.array(z.object({ image_id: z.union([z.int(), z.string()]), category_id: z.int() })),
  categories: z.array(z.object({ id: z.int(), name: z.string(), supercategory: z.string().optional() })),
})

/** Of COCO's eighty names, and those of common data sets, what a camera would call them. */
const NAMES: Readonly<Record<Label, string>> = {
  person: "person pedestrian rider",
  vehicle: "bicycle car motorcycle motorbike airplane bus train truck boat van",
  animal: "bird cat dog horse sheep cow elephant bear zebra giraffe",
}
const BY_NAME = new Map(
  Object.entries(NAMES).flatMap(([label, names]) =>
    names.split(" ").map((name) => [name, label as Label] as const),
  ),
)

/**
 * Labels as COCO JSON. A category counts by its name, or else by its supercategory: person, animal, vehicle, or one of
 * COCO's own names of them; "empty" is nothing. COCO's other things, such as chairs, are nothing to a camera; where a category has no
 * supercategory and an unknown name, nobody can tell, and its pictures are not scored.
 * @throws Fault "malformed", definite.
 */
export function labelsFromCoco(text: string): Labels {
  const { images, annotations, categories } = parsed(text)
  const kinds = new Map(categories.map(({ id, name, supercategory }) => [id, kindOf(name, supercategory)]))
  const names = new Map(categories.map(({ id, name }) => [id, name]))
  const byImage = new Map<string | number, number[]>()
  for (const { image_id: image, category_id: category } of annotations)
    byImage.set(image, [...(byImage.get(image) ?? []), category])
  const files = new Map<string, FileTruth>()
  const unknown = new Map<string, number>()
  for (const { id, file_name: file } of images) {
    const found = byImage.get(id) ?? []
    const odd = found.find((category) => (kinds.get(category) ?? "unknown") === "unknown")
    if (odd !== undefined) {
      const name = names.get(odd) ?? `number ${odd}`
      unknown.set(name, (unknown.get(name) ?? 0) + 1)
      continue
    }
    const kind = found.map((category) => kinds.get(category) ?? "unknown")
    files.set(file, { labels: new Set(kind.filter(isLabel)), ignore: new Set() })
  }
  const warnings = [...unknown].map(
    ([name, count]) =>
      `category ${JSON.stringify(name.slice(0, 60))} is not known as person, animal or vehicle: ${count} ${count === 1 ? "picture is" : "pictures are"} not scored`,
  )
  return { files, events: new Map(), warnings }
}

type Kind = Label | "nothing" | "unknown"

const isLabel = (kind: Kind): kind is Label => kind !== "nothing" && kind !== "unknown"

function kindOf(name: string, supercategory = ""): Kind {
  for (const word of [name, supercategory].map((each) => each.trim().toLowerCase())) {
    const label = labelNamed(word) ?? BY_NAME.get(word)
    if (label) return label
    if (word !== "" && meansNothing(word)) return "nothing"
  }
  return supercategory === "" ? "unknown" : "nothing"
}

function parsed(text: string): z.infer<typeof cocoShape> {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (cause) {
    throw new Fault("malformed", `not JSON (${messageOf(cause)})`, { cause })
  }
  const result = cocoShape.safeParse(raw)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new Fault(
    "malformed",
    `not COCO's format: ${issue?.path.join(".") || "value"}: ${issue?.message ?? "wrong"}`,
  )
}
