import { readFile } from "node:fs/promises"
import { Command } from "commander"
import { type CameraConfig, parseConfig } from "../../firmware/config.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { findModel } from "../../hardware/detector/model-store.ts"
import { compareRuns, readEarlier } from "../recognise/compare.ts"
import { findInputs } from "../recognise/inputs.ts"
import { readLabels } from "../recognise/labels-file.ts"
import { makeOutFolder, writeRun } from "../recognise/out-folder.ts"
import { recognisePage } from "../recognise/page/page.ts"
import { openRealEyes } from "../recognise/real-eyes.ts"
import { recognise } from "../recognise/recognise.ts"
import { summaryText } from "../recognise/summary.ts"
import { homeOption, homePaths } from "./options.ts"
import { progressLine } from "./progress-line.ts"
import { stopOnSignals } from "./stop.ts"

interface RecogniseOptions {
  readonly home: string
  readonly labels?: string
  readonly model?: string
  readonly config?: string
  readonly json?: boolean
  readonly out?: string
  readonly compare?: string
  readonly asCamera?: boolean
}

const HELP = `
Runs films and pictures through what a camera decides by, in the film's own time: a picture each lens.groupOfPictures
(1 s), woken by what changes, the stages of firmware/recognise, and the clip that follows. A film has no PIR; whatever
changes stands in for it. Leaves recognise.html, for looking, and recognise.json, without pictures. The page holds small
copies of your own pictures, in your own folder, and nothing is sent anywhere.

Labels: CSV, a row a picture: file,labels (person|animal|vehicle, or none) or a row an event of a film:
film,start,end,label in seconds; or COCO JSON, by its ending .json. With them the page says what was missed and invented.

Exit codes: 0 all was looked at; 1 some file was not, or labels name one that is not there, or something is worse than in
--compare; 2 wrong call.`

export function recogniseCommand(): Command {
  return new Command("recognise")
    .description("run your own films and pictures through a camera's recognition, and look at what it says")
    .argument("<files...>", "films, pictures, and folders of them")
    .option("--labels <file>", "what is in them: labels.csv, or COCO's .json")
    .option(
      "--model <name>",
      "an installed model, or a YOLOX or NanoDet ONNX file (default: the installed one)",
    )
    .addOption(homeOption())
    .option("--config <file>", "a camera's configuration as JSON; the default: everything's default")
    .option("--out <dir>", "where page and numbers go (default: ./recognised/<date>-<time>)")
    .option("--compare <run>", "an earlier run's folder or recognise.json: what is different now")
    .option(
      "--as-camera",
      "ask the model no more once a clip is decided: where events end is then what moves, as on a camera",
    )
    .option("--json", "print the result as JSON; all else goes to standard error")
    .addHelpText("after", HELP)
    .action(run)
}

async function run(files: readonly string[], options: RecogniseOptions): Promise<void> {
  const now = new Date()
  // Whatever is wrong with the call is said before an hour of looking, not after it.
  const config = await readConfig(options.config)
  const labels = options.labels === undefined ? null : await readLabels(options.labels)
  const earlier = options.compare === undefined ? null : await readEarlier(options.compare)
  const { inputs, failures } = await findInputs(files)
  for (const { reason } of failures) complain(reason)
  if (inputs.length === 0)
    throw new Fault("usage", "there is nothing to look at; name films, pictures or folders of them")
  const model = await findModel([homePaths(options.home).models], options.model)
  const open = await openRealEyes(model)
  const { signal, forget } = stopOnSignals()
  const progress = progressLine(process.stderr)
  try {
    const folder = await makeOutFolder(options.out, now)
    const parts = { inputs, failures, config, labels, now, model: open.model }
    const eyes = { ...open.eyes, asksOn: options.asCamera !== true }
    const { run: done, stills } = await recognise({ ...parts, eyes, onProgress: progress.show }, signal)
    progress.clear()
    const compared = earlier && compareRuns(earlier, done)
    const page = recognisePage(done, stills, config.recognise.minScore, compared)
    const written = await writeRun(folder, page, `${JSON.stringify(done, null, 1)}\n`)
    for (const { reason } of done.failures.slice(failures.length)) complain(reason)
    for (const line of [...done.warnings, ...done.lacks.map((lack) => `missing here: ${lack}`)])
      complain(line)
    console.log(options.json ? JSON.stringify(done, null, 2) : summaryText(done, compared))
    console.error(`look at ${written.page}`)
    if (signal.aborted) console.error("obscura: stopped before all was looked at")
    if (signal.aborted || done.failures.length > 0 || done.warnings.length > 0 || compared?.isWorse)
      process.exitCode = 1
  } finally {
    progress.clear()
    await open.close()
    forget()
  }
}

/** Names come from files: nothing in them may steer the terminal. */
function complain(line: string): void {
  console.error(`obscura: ${line.replace(/\p{Cc}/gu, "")}`)
}

/** @throws Fault "usage", definite, naming the file. */
async function readConfig(path: string | undefined): Promise<CameraConfig> {
  if (path === undefined) return parseConfig()
  try {
    return parseConfig(JSON.parse(await readFile(path, "utf8")))
  } catch (cause) {
    const reason = isFault(cause) ? cause.message : `cannot be read as JSON (${messageOf(cause)})`
    throw new Fault("usage", `${path}: ${reason}`, { cause })
  }
}
