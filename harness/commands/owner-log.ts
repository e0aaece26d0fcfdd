import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Command, Option } from "commander"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { openBeats } from "../cloud/beats.ts"
import { readBucket } from "../cloud/bucket.ts"
import type { LogIdentity } from "../cloud/log/checkpoint.ts"
import { folderSource, type LogSource } from "../cloud/log/log-source.ts"
import { type AccessRecord, KINDS, RECORD_KINDS } from "../cloud/log/records.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { OwnerFolder } from "../owner/folder.ts"
import { type ForcedTrace, type LogView, readLog } from "../owner/log.ts"
import { dateOf, describeLogAlert } from "../owner/log-alerts.ts"
import { type Compared, compareCheckpoints, exportCheckpoint } from "../owner/log-compare.ts"
import { LogMemory } from "../owner/log-memory.ts"
import { tracesInBeat, tracesInManifest } from "../owner/log-traces.ts"
import { homeOption, homePaths, wholeNumber } from "./options.ts"

interface LogOptions {
  readonly home: string
  readonly log?: string
  readonly bucket?: string
  readonly compare?: string
  readonly export?: boolean
  readonly since?: number
}

const HELP = `
Owners who compare find a log that shows each of them another history. Send what --export prints to another owner, in a
message that the cloud cannot read or change; they give it to --compare. --export --since N brings the proof along for
somebody whose log had N entries: a witness takes it as it is.

Exit codes: 0 in order; 1 something is amiss, each with its name; 2 wrong call.`

export function ownerLogCommand(): Command {
  return new Command("log")
    .description("who looked at what, when and why, as the cloud's access log proves it")
    .addOption(homeOption())
    .option("--log <dir>", "the cloud's access log, if it is not this household's own")
    .option(
      "--bucket <dir>",
      "the cloud's bucket, with what the cameras have signed, if it is not this household's own",
    )
    .option("--compare <file|->", "say whether another owner's checkpoint is of the same log as yours")
    .addOption(
      new Option("--export", "print the checkpoint, for another owner or a witness").conflicts("compare"),
    )
    .addOption(
      new Option(
        "--since <n>",
        "with --export: and the proof that it continues the first n entries",
      ).argParser(wholeNumber(0, 2 ** 48)),
    )
    .addHelpText("after", HELP)
    .action(ownerLog)
}

/** One log, and the cameras that it must tell of. */
interface Look {
  readonly log: LogIdentity
  readonly cameras: readonly PublicKey[]
}

async function ownerLog(options: LogOptions): Promise<void> {
  if (options.since !== undefined && !options.export) throw new Fault("usage", "--since goes with --export")
  const paths = homePaths(options.home)
  const memory = new LogMemory(paths.owner)
  const source = folderSource(options.log ?? join(paths.cloud, "log"))
  // Read before anything is remembered: a wrong path is a wrong call.
  const message = options.compare === undefined ? null : await readMessage(options.compare)
  let amiss = 0
  const unpinned = (line: string) => {
    console.error(`obscura: ${line}`)
    amiss++
  }
  for (const look of await looksOf(new OwnerFolder(paths.owner), memory, unpinned)) {
    const before = await memory.seen(look.log)
    const traces = await tracesOf(look.cameras, options.bucket ?? join(paths.cloud, "bucket"))
    const devices = look.cameras.map(({ id }) => id)
    const view = await readLog(source, { log: look.log, devices, before, traces, now: Date.now() })
    if (view.seen) await memory.remember(look.log, view.seen)
    if (options.export)
      process.stdout.write(await exportCheckpoint(view.checkpoint, options.since ?? null, source))
    else print(look, view)
    // What goes to others stays clean; what is amiss is said all the same.
    if (options.export) for (const alert of view.alerts) console.error(`obscura: ${describeLogAlert(alert)}`)
    amiss += view.alerts.length
    if (message !== null && !printCompared(await compare(message, look, view, source))) amiss++
  }
  if (amiss > 0) process.exitCode = 1
}

/** By log: an owner may have cameras at more than one cloud. @throws Fault "usage", definite. */
async function looksOf(
  folder: OwnerFolder,
  memory: LogMemory,
  amiss: (line: string) => void,
): Promise<readonly Look[]> {
  const cameras = await folder.cameras()
  if (cameras.length === 0)
    throw new Fault("usage", 'no camera is paired yet; "obscura owner pair" does that')
  const looks = new Map<string, { log: LogIdentity; cameras: PublicKey[] }>()
  for (const camera of cameras) {
    const log = await memory.pinned(camera.id)
    if (log === null) {
      amiss(
        `camera ${camera.id}: no log key was pinned when it was paired, so no log is believed; pair it again`,
      )
      continue
    }
    const look = looks.get(log.key.hex)
    if (look) look.cameras.push(camera)
    else looks.set(log.key.hex, { log, cameras: [camera] })
  }
  return [...looks.values()]
}

/**
 * What the cameras themselves have signed, as the bucket shows it: for whom each seals, and who has looked. Each must have
 * been logged. Read before the log, which may only have more.
 */
async function tracesOf(cameras: readonly PublicKey[], directory: string): Promise<readonly ForcedTrace[]> {
  const beats = await openBeats(directory)
  const source = bucketSource(await readBucket(directory))
  const traces = cameras.map(async (camera) => {
    const beat = beats.envelope(camera.id)
    const manifests = await source.manifests(camera.id)
    return [
      ...(beat ? tracesInBeat(beat, camera) : []),
      ...manifests.flatMap((each) => tracesInManifest(each, camera)),
    ]
  })
  return (await Promise.all(traces)).flat()
}

function print({ log, cameras }: Look, { checkpoint, continues, records, alerts, pending }: LogView): void {
  const since = continues
    ? `it continues the ${continues.size} that you saw on ${dateOf(continues.at)}`
    : "your first look: later ones are held against it"
  const isHead = alerts.some(({ kind }) => kind === "rolled back" || kind === "forked")
  console.log(
    `log ${log.origin}: ${counted(checkpoint.size, "entry", "entries")}${isHead ? "" : `, ${since}`}`,
  )
  for (const { id: device } of cameras) {
    const own = records.get(device) ?? []
    console.log(`camera ${device}: ${counted(own.length, "record", "records")}, proven to be in the log`)
    for (const record of own) console.log(`  ${inWords(record)}`)
  }
  if (pending > 0) console.log(`${pending} records wait for the next checkpoint; look again in a few seconds`)
  for (const alert of alerts) {
    const device = "device" in alert && alert.device !== null ? `camera ${alert.device}: ` : ""
    console.log(`! ${device}${describeLogAlert(alert)}`)
  }
  for (const trace of ["forced", "policy"] as const) {
    console.log(trace === "forced" ? "forced to leave a trace:" : "only by the cloud's policy:")
    for (const kind of RECORD_KINDS)
      if (KINDS[kind].trace === trace) console.log(`  ${kind.padEnd(16)} ${KINDS[kind].because}`)
  }
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

function inWords(record: AccessRecord): string {
  const { at, kind, by, reason } = record
  const who = by.key === null ? by.role : `${by.role} ${by.key.slice(0, 8)}`
  return `${dateOf(at)}  ${kind.padEnd(16)} ${who.padEnd(20)} ${whatOf(record).padEnd(28)} ${reason}`
}

function whatOf(record: AccessRecord): string {
  switch (record.kind) {
    case "live session":
      return `session ${record.session.slice(0, 8)}`
    case "grant":
      return `for ${record.purpose}`
    case "consent":
      return record.change
    case "key change":
      return `epoch ${record.epoch}`
    case "ciphertext read":
      return `object ${record.object.slice(0, 8)}`
    case "view repeated":
      return `grant ${record.grant.slice(0, 8)}`
    case "request refused":
      return `${record.request}: ${record.refusal}`
  }
}

function compare(
  message: Uint8Array,
  { log }: Look,
  { checkpoint }: LogView,
  source: LogSource,
): Promise<Compared> {
  return compareCheckpoints(message, checkpoint, log, source)
}

/** false: a fork. */
function printCompared(compared: Compared): boolean {
  const { outcome, theirs } = compared
  switch (outcome) {
    case "same":
      console.log(`same: they see the ${theirs.size} entries that you see`)
      return true
    case "older":
      console.log(`older: they saw ${theirs.size} entries, and yours continue them`)
      return true
    case "newer":
      console.log(
        `newer: they see ${theirs.size} entries, which continue yours; look again, and if it stays so the cloud withholds the rest from you`,
      )
      return true
    case "fork":
      console.log(
        `! fork, a split view: the cloud shows you one log and them another; it has signed both, and these two notes prove it:\n`,
      )
      for (const note of compared.notes) console.log(note)
      return false
  }
}

async function readMessage(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path === "-" ? "/dev/stdin" : path)
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be read (${messageOf(cause)})`, { cause })
  }
}
