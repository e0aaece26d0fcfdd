import { Argument, InvalidArgumentError, Option } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { sendCommand } from "../owner/command.ts"
import {
  type Mark,
  type MarkBook,
  OwnerMarks,
  signedTuning,
  tuningInWords,
  tuningOf,
  withMark,
  withoutMark,
} from "../owner/marks.ts"
import { summaryOf, type VaultClip } from "../owner/vault.ts"
import { homePaths } from "./options.ts"
import { type ContactOptions, inContact, withContact } from "./owner-contact.ts"
import { look, openHousehold, type SeenCamera, type VaultOptions, vaultCommand } from "./owner-vault.ts"

interface WrongOptions extends VaultOptions, ContactOptions {
  readonly was?: Mark["was"]
  readonly at?: readonly [number, number]
  readonly forget?: boolean
  readonly here?: boolean
}

const HELP = `
The mark stays in your folder. What all marks of a camera come to is signed and sent to it: for each label a little more
or less of a score, and spots of the picture where the label never is right. It names no clip and holds no picture; the cloud that
carries it can read these numbers. The camera keeps it over restarts. Nothing is offered to anybody for labelling by this.

Exit codes: 0 the camera is tuned, or the mark is kept with --here; 1 it refused, or did not answer: the mark is kept, and
the next one tells it, too; 2 wrong call.`

export function ownerWrongCommand() {
  const command = vaultCommand("wrong", "mark what a camera said of a clip as wrong, so that it learns")
    .addArgument(new Argument("<clip>", 'its id, or the beginning of it, as "obscura owner list" shows'))
    .addOption(
      new Option("--was <what>", "what it really was").choices(["person", "animal", "vehicle", "nothing"]),
    )
    .option("--at <x,y>", "where its feet were: fractions of the picture from left and top", parsePoint)
    .option("--forget", "take the mark of this clip back")
    .option("--here", "only keep the mark; tell the camera with the next one")
    .addHelpText("after", HELP)
  return withContact(command).action(mark)
}

function parsePoint(text: string): readonly [number, number] {
  const [, x, y] = /^(0|1|0?\.\d+|1\.0+),(0|1|0?\.\d+|1\.0+)$/.exec(text.replaceAll(" ", "")) ?? []
  if (x === undefined || y === undefined)
    throw new InvalidArgumentError("it looks like 0.25,0.8, from 0 to 1.")
  return [Number(x), Number(y)]
}

async function mark(beginning: string, options: WrongOptions): Promise<void> {
  const { was, at, forget, here } = options
  if ((was === undefined) === (forget !== true))
    throw new Fault("usage", "wrong: say what it was with --was, or take a mark back with --forget")
  const { household } = await openHousehold(options)
  const { camera, clip } = clipNamed(await look(options, household), beginning)
  const marks = new OwnerMarks(homePaths(options.home).owner)
  const before = await marks.of(camera.key.id)
  const book = forget
    ? withoutMark(before, clip.clip)
    : withMark(before, await markOf(camera, clip, was ?? "nothing", at ?? null))
  await marks.keep(camera.key.id, book)
  console.log(
    `camera ${camera.key.id}: ${book.marks.length} marks; they come to ${tuningInWords(tuningOf(book.marks))}`,
  )
  if (!here) await tell(camera, book, marks, options, household.keys.signingKeyFor(camera.key.id))
}

async function markOf(
  { vault }: SeenCamera,
  { clip, summary }: VaultClip,
  was: Mark["was"],
  at: Mark["at"],
): Promise<Mark> {
  const said = summary?.fate === "received" ? (await summaryOf(vault, summary)).label : null
  if ((said ?? "nothing") === was)
    throw new Fault("usage", `clip ${clip}: the camera said ${was}, too; nothing is wrong with that`)
  return { clip, said, was, at }
}

async function tell(
  { key }: SeenCamera,
  book: MarkBook,
  marks: OwnerMarks,
  options: WrongOptions,
  owner: Parameters<typeof signedTuning>[2],
): Promise<void> {
  const signed = signedTuning(key.id, book, owner, Date.now())
  // Before it is sent: a number that was once out is never used again.
  await marks.keep(key.id, signed.book)
  await inContact(options, async ({ broker, parts, config, until, within }) => {
    const answer = await sendCommand(signed.envelope, key, owner, broker, parts, config, until())
    if (answer === null)
      throw new Fault(
        "unavailable",
        `camera ${key.id} has not answered within ${within / 1_000} s; the mark is kept, and the next one tells it, too`,
      )
    const said = answer.reason.replace(/\p{Cc}/gu, " ")
    if (answer.result === "refused") throw new Fault("refused", `camera ${key.id} refuses: ${said}`)
    console.log(`camera ${key.id}: ${said}`)
  })
}

/** @throws Fault "usage", definite: no clip begins so, or several. */
function clipNamed(
  cameras: readonly SeenCamera[],
  beginning: string,
): { readonly camera: SeenCamera; readonly clip: VaultClip } {
  const found = cameras.flatMap((camera) =>
    camera.view.clips.filter(({ clip }) => clip.startsWith(beginning)).map((clip) => ({ camera, clip })),
  )
  const [only] = found
  if (only && found.length === 1 && beginning !== "") return only
  const why = found.length > 1 ? `${found.length} clips begin` : "no clip begins"
  throw new Fault(
    "usage",
    `${why} with ${JSON.stringify(beginning.slice(0, 60))}; "obscura owner list" shows them`,
  )
}
