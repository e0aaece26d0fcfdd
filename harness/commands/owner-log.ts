import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Command, Option } from "commander"
import { type PublicKey, publicKeyFromHex, type SigningKey } from "../../firmware/control/keys.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { seconds } from "../../firmware/units.ts"
import { folderSource, type LogSource } from "../cloud/log/log-source.ts"
import { OwnerFolder } from "../owner/folder.ts"
import type { Household } from "../owner/household.ts"
import { isMember } from "../owner/household-book.ts"
import { type LogView, readLog } from "../owner/log.ts"
import { describeLogAlert } from "../owner/log-alerts.ts"
import { compareCheckpoints, exportCheckpoint } from "../owner/log-compare.ts"
import { RemoteLog } from "../owner/log-link.ts"
import { LogMemory } from "../owner/log-memory.ts"
import { isSealed, openCheckpointFrom, sealCheckpoint } from "../owner/log-sealed.ts"
import { ownMailboxes } from "../services/own-mailboxes.ts"
import { homeOption, homePaths, wholeNumber } from "./options.ts"
import { openOwner } from "./owner.ts"
import { withBucket } from "./owner-bucket.ts"
import { inContact } from "./owner-contact.ts"
import { type Look, printCompared, printLook } from "./owner-log-print.ts"
import { type TraceOptions, tracesOf } from "./owner-log-traces.ts"

interface LogOptions extends TraceOptions {
  readonly log?: string
  readonly broker?: string
  readonly wait: number
  readonly passphraseFile?: string
  readonly compare?: string
  readonly from?: string
  readonly export?: boolean
  readonly to?: string
  readonly since?: number
  readonly key?: boolean
}

/** An honest log shows by then what it was given a moment ago, also by another program through its inbox. */
const PUBLISHED_WITHIN = seconds(2.5)

const HELP = `
Without --broker the log is read where this household's cloud keeps it. With it the log is asked for over the broker, which
hands each camera's records to its owner alone; then heartbeats and what this owner has signed are held against it, and
what the cameras have signed in their chains only if --bucket says where that is.

Owners who compare find a log that shows each of them another history. Tell another owner what --key prints; they seal
their checkpoint for you (--export --to YOUR-RECIPIENT > FILE), and you give it to --compare FILE --from THEIR-KEY. Sealed and
signed, it may go any way, also by the cloud. --to takes a member's name, too: they open it with stock age. A message in the
open is taken with a warning: a fork that it shows is one, and that it shows none says little. --export --since N
brings the proof along for somebody whose log had N entries: a witness takes it as it is.

Exit codes: 0 in order; 1 something is amiss, each with its name; 2 wrong call.`

export function ownerLogCommand(): Command {
  const command = new Command("log")
    .description("who looked at what, when and why, as the cloud's access log proves it")
    .addOption(homeOption())
    .option("--log <dir>", "the cloud's access log, if it is not this household's own")
    .addOption(new Option("--broker <url>", "ask for the log over the cloud's broker").conflicts("log"))
    .addOption(
      new Option("--wait <s>", "with --broker: how long for each answer")
        .argParser(wholeNumber(1, 3_600))
        .default(30),
    )
    .option("--passphrase-file <file>", "read the passphrase from a file instead of the terminal")
    .option(
      "--compare <file|->",
      "say whether another owner's checkpoint is of the same log as yours; sealed, with --from",
    )
    .option("--from <key>", "with --compare: the key of the owner who says it, as their --key prints it")
    .addOption(
      new Option("--export", "print the checkpoint, for another owner or a witness").conflicts("compare"),
    )
    .option("--to <who>", "with --export: sealed for a member, by name, or for an age recipient")
    .addOption(
      new Option(
        "--since <n>",
        "with --export: and the proof that it continues the first n entries",
      ).argParser(wholeNumber(0, 2 ** 48)),
    )
    .option("--key", "print what another owner needs, to seal for you and to know you by")
  return withBucket(command).addHelpText("after", HELP).action(ownerLog)
}

async function ownerLog(options: LogOptions): Promise<void> {
  for (const [name, value] of [
    ["--since", options.since],
    ["--to", options.to],
  ])
    if (value !== undefined && !options.export) throw new Fault("usage", `${name} goes with --export`)
  if (options.from !== undefined && options.compare === undefined)
    throw new Fault("usage", "--from goes with --compare")
  const household = once(async () =>
    new OwnerFolder(homePaths(options.home).owner).household(await openOwner(options)),
  )
  if (options.key) return printKey(await household())
  // Read before anything is remembered: a wrong path is a wrong call.
  const theirs = options.compare === undefined ? null : await readTheirs(options, options.compare, household)
  const { broker } = options
  if (broker === undefined) return lookAtAll(options, household, theirs, folderOf(options))
  const owner = await household()
  await inContact({ ...options, broker }, ({ broker: name, parts, config, until }) =>
    lookAtAll(options, household, theirs, (cameras) => {
      const keys = new Map(
        cameras.map((camera): [PublicKey, SigningKey] => [camera, owner.keys.signingKeyFor(camera.id)]),
      )
      return new RemoteLog(keys, { broker: name, link: parts, config, until })
    }),
  )
}

type SourceOf = (cameras: readonly PublicKey[]) => LogSource | RemoteLog

function folderOf({ home, log }: LogOptions): SourceOf {
  const source = folderSource(log ?? join(homePaths(home).cloud, "log"))
  return () => source
}

async function lookAtAll(
  options: LogOptions,
  household: () => Promise<Household>,
  theirs: Uint8Array | null,
  sourceOf: SourceOf,
): Promise<void> {
  const paths = homePaths(options.home)
  const memory = new LogMemory(paths.owner)
  let amiss = 0
  const unpinned = (line: string) => {
    console.error(`obscura: ${line}`)
    amiss++
  }
  const looks = await looksOf(new OwnerFolder(paths.owner), memory, unpinned)
  const [first] = looks
  // Over the broker only a camera's owner is handed its records.
  if (first && options.broker === undefined) looks[0] = { ...first, others: await ownMailboxes(paths.owner) }
  if (options.to !== undefined && looks.length > 1)
    throw new Fault("usage", "--to: your cameras are at several clouds, and one file holds one log")
  for (const look of looks) {
    const source = sourceOf(look.cameras)
    try {
      const view = await lookAt(look, source, memory, options)
      if (options.export) await putOut(view, source, options, household)
      else printLook(look, view)
      // What goes to others stays clean; what is amiss is said all the same.
      if (options.export)
        for (const alert of view.alerts) console.error(`obscura: ${describeLogAlert(alert)}`)
      amiss += view.alerts.length
      if (theirs !== null) {
        const compared = await compareCheckpoints(theirs, view.checkpoint, look.log, source)
        if (!printCompared(compared)) amiss++
      }
    } finally {
      if (source instanceof RemoteLog) await source.close()
    }
  }
  if (amiss > 0) process.exitCode = 1
}

async function lookAt(
  { log, cameras, others = [] }: Look,
  source: LogSource | RemoteLog,
  memory: LogMemory,
  options: LogOptions,
): Promise<LogView> {
  const before = await memory.seen(log)
  const mailboxes = others.map(({ key }) => key)
  const remote = source instanceof RemoteLog ? source : null
  const traces = await tracesOf([...cameras, ...mailboxes], options, memory, remote)
  const devices = [...cameras, ...mailboxes].map(({ id }) => id)
  const read = () => readLog(source, { log, devices, before, traces, now: Date.now() })
  const first = await read()
  const isMissing = first.alerts.some(({ kind }) => kind === "not logged")
  if (isMissing) await sleep(PUBLISHED_WITHIN)
  const view = isMissing ? await read() : first
  if (view.seen) await memory.remember(log, view.seen)
  return view
}

/** By log: an owner may have cameras at more than one cloud. @throws Fault "usage", definite. */
async function looksOf(
  folder: OwnerFolder,
  memory: LogMemory,
  amiss: (line: string) => void,
): Promise<Look[]> {
  const cameras = await folder.cameras()
  if (cameras.length === 0)
    throw new Fault("usage", 'no camera is paired yet; "obscura owner pair" does that')
  const looks = new Map<string, Look & { cameras: PublicKey[] }>()
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

// Between owners

function printKey({ keys, recipient }: Household): void {
  console.log(`recipient ${recipient}`)
  console.log(`key ${keys.peerKey.hex}`)
}

async function putOut(
  { checkpoint }: LogView,
  source: LogSource,
  { since, to }: LogOptions,
  household: () => Promise<Household>,
): Promise<void> {
  const message = await exportCheckpoint(checkpoint, since ?? null, source)
  if (to === undefined) return void process.stdout.write(message)
  const { keys, book } = await household()
  const member = book.members.find((each) => isMember(each) && each.name === to)
  const recipient = member?.recipient ?? to
  if (!recipient.startsWith("age1"))
    throw new Fault("usage", `--to ${to}: no member has this name, and it is no age recipient (age1…)`)
  process.stdout.write(await sealCheckpoint({ message, at: Date.now() }, recipient, keys.peerKey))
}

async function readTheirs(
  { from }: LogOptions,
  path: string,
  household: () => Promise<Household>,
): Promise<Uint8Array> {
  const bytes = await readMessage(path)
  if (!isSealed(bytes)) {
    if (from !== undefined) throw new Fault("usage", `${path}: it is not sealed, so nobody has signed for it`)
    console.error("obscura: this checkpoint came in the open: whoever carried it could have changed it")
    return bytes
  }
  if (from === undefined || !/^[0-9a-f]{64}$/.test(from))
    throw new Fault("usage", "--compare: this is sealed; say who says it, --from KEY (64 hex digits)")
  const { identity, recipients } = await household()
  const isOurs = (recipient: string) => recipients.includes(recipient)
  const said = await openCheckpointFrom(publicKeyFromHex(from), bytes, identity, isOurs)
  console.log(`what they saw on ${new Date(said.at).toISOString()}, sealed for you and signed by them`)
  return said.message
}

async function readMessage(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path === "-" ? "/dev/stdin" : path)
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be read (${messageOf(cause)})`, { cause })
  }
}

/** Asked for a passphrase once, and only where one is needed. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null
  return () => {
    made ??= make()
    return made
  }
}
