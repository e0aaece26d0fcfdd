import { LABELS } from "../../../firmware/recognise/count.ts"
import { text } from "../../load/page/html.ts"
import type { PictureResult } from "../result.ts"
import { boxesOver } from "./boxes.ts"
import { type Still, type Stills, sourceOf } from "./still.ts"

/** What is wrong with a picture, in words; none: it is right, or nobody has said what is in it. */
export function wrongsOf({ labels, truth }: PictureResult): readonly string[] {
  if (truth === null) return []
  return LABELS.flatMap((label) => {
    if (truth.ignore.includes(label)) return []
    const [is, was] = [truth.labels.includes(label), labels.includes(label)]
    if (is === was) return []
    return [is ? `${label} missed` : `${label} invented`]
  })
}

export interface Numbered {
  readonly picture: PictureResult
  /** Its place in the run, by which others refer to it. */
  readonly index: number
}

/** Cards with boxes over the pictures. */
export function pictureCards(pictures: readonly Numbered[], stills: Stills): string {
  return `<div class="cards">${pictures.map(({ picture, index }) => card(picture, index, stills.get(picture.file)?.[0])).join("\n")}</div>`
}

function card(picture: PictureResult, index: number, still: Still | undefined): string {
  const { file, labels, boxes, truth } = picture
  const wrongs = wrongsOf(picture)
  const said = labels.map((label) => `<span class="chip ${label}">${label}</span>`)
  const nothing = labels.length === 0 ? ['<span class="chip">nothing</span>'] : []
  const marks = wrongs.map((wrong) => `<span class="chip bad">${wrong}</span>`)
  const right = truth !== null && wrongs.length === 0 ? ['<span class="chip good">right</span>'] : []
  const inside = still
    ? `<img src="${sourceOf(still)}" alt="">${boxesOver(boxes)}`
    : '<div class="blank">not shown</div>'
  return `<figure id="picture-${index}" class="${wrongs.length > 0 ? "wrong" : ""}"><div class="picture" style="max-width:calc(14rem*${picture.width}/${picture.height})">${inside}</div>
<figcaption>${[...said, ...nothing, ...marks, ...right].join("")}<span class="quiet">${text(file)}</span></figcaption></figure>`
}
