import { randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { Command, Option } from "commander"
import { z } from "zod"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { publicKeyFromHex, signingKeyOf } from "../../firmware/control/keys.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { lockFolder, type Unlock } from "../cloud/bucket-lock.ts"
import { type CloudIdentity, cloudIdentityShape } from "../cloud/keys.ts"
import { type LogIdentity, openCheckpoint, originOf } from "../cloud/log/checkpoint.ts"
import { encodeCheckpointMessage } from "../cloud/log/checkpoint-message.ts"
import { readIfThere, replaceFile } from "../cloud/log/log-disk.ts"
import { folderSource } from "../cloud/log/log-source.ts"
import { isKeyName, SIGNATURE_TYPE, verifierKey } from "../cloud/log/note.ts"
import { consistencyProof } from "../cloud/log/proofs.ts"
import { TiledTree } from "../cloud/log/tiles.ts"
import { Witness, type WitnessIdentity } from "../cloud/log/witness.ts"

interface WitnessOptions {
  readonly cloud?: string
  readonly from?: readonly string[]
  readonly identity?: string
  readonly state: string
  readonly name: string
}

const HELP = `
A witness remembers what a log has shown it, and puts its signature beside the log's only under what continues that.
Its key is made in the state folder at the first run and printed on standard error, for those who want to check it.

Exit codes: 0 signed; 1 rolled back, forked, or not signed by the log: nothing was signed; 2 wrong call.`

export function witnessCommand(): Command {
  return new Command("witness")
    .description("co-sign the checkpoint of an access log, if it continues what was co-signed before")
    .addOption(new Option("--cloud <dir>", "the cloud's folder: its identity.json, and the log in it"))
    .addOption(
      new Option(
        "--from <file...>",
        'or checkpoints out of files, as "obscura owner log --export" prints them',
      ).conflicts("cloud"),
    )
    .option("--identity <file>", "with --from: the identity.json of the cloud whose log it is")
    .requiredOption("--state <dir>", "where this witness keeps its key and what it has signed")
    .option(
      "--name <name>",
      "what this witness calls itself: a name without spaces, as of a web page",
      "witness.local",
    )
    .addHelpText("after", HELP)
    .action(witness)
}

async function witness(options: WitnessOptions): Promise<void> {
  if (options.cloud === undefined && (!options.from || options.identity === undefined))
    throw new Fault("usage", "say which log: --cloud DIR, or --from FILE with --identity FILE")
  if (!isKeyName(options.name))
    throw new Fault("usage", "--name: no spaces or plus signs, for it names a key")
  const state = resolve(options.state)
  await makeFolder(join(state, "logs"))
  const unlock = await lock(state)
  try {
    const identity = await openIdentity(state, options.name)
    const key = { name: identity.name, type: SIGNATURE_TYPE.cosignature, key: identity.key }
    console.error(`witness ${verifierKey(key)}`)
    const signer = new Witness(state, identity)
    const log = await logOf(options.identity ?? join(options.cloud ?? "", "identity.json"))
    const messages = options.from
      ? await Promise.all(options.from.map(read))
      : [await messageOfLog(join(options.cloud ?? "", "log"), log, signer)]
    for (const message of messages)
      process.stdout.write(await signer.cosign(message, log, Math.floor(Date.now() / 1_000)))
  } finally {
    await unlock()
  }
}

/** What the log in `directory` would send to this witness. */
async function messageOfLog(directory: string, log: LogIdentity, signer: Witness): Promise<Uint8Array> {
  const source = folderSource(directory)
  const note = await source.checkpoint()
  if (note === null) throw new Fault("usage", `${directory}: no access log there`)
  const { size } = openCheckpoint(note, log)
  const { size: old } = await signer.seen(log.origin)
  const proof = old < size ? await consistencyProof(new TiledTree(source.tile, size), old, size) : []
  return encodeCheckpointMessage({ old, proof, note })
}

async function logOf(path: string): Promise<LogIdentity> {
  const cloud: CloudIdentity = fromJson(
    (await read(path)).subarray(0, -1),
    cloudIdentityShape,
    "identity",
    2_000,
  )
  return { origin: originOf(cloud.name), key: publicKeyFromHex(cloud.logKey) }
}

const keyShape = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  seed: z.string().regex(/^[0-9a-f]{64}$/),
})

/** Made at the first run. @throws Fault "usage", definite: it has another name, or is no key file. */
async function openIdentity(state: string, name: string): Promise<WitnessIdentity> {
  const path = join(state, "key.json")
  try {
    const made = await readIfThere(path)
    const bytes = made ?? toJson({ format: 1, name, seed: randomBytes(32).toString("hex") })
    if (made === null) await replaceFile(path, bytes, 0o600)
    const { name: known, seed } = fromJson(bytes, keyShape, "witness key", 1_000)
    if (known === name) return { name, key: signingKeyOf(Buffer.from(seed, "hex")) }
    throw new Fault("usage", `${path}: this witness calls itself ${known}; say --name ${known}`)
  } catch (cause) {
    if (isFault(cause, "usage")) throw cause
    throw new Fault("usage", `${path}: no usable key (${messageOf(cause)})`, { cause })
  }
}

async function lock(state: string): Promise<Unlock> {
  try {
    return await lockFolder(state)
  } catch (cause) {
    const why = "another process uses it, or its path is too long"
    throw new Fault("usage", `${state}: cannot be locked: ${why}`, { cause })
  }
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be read (${messageOf(cause)})`, { cause })
  }
}
