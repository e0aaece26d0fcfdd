import { join } from "node:path"
import { Argument, type Command } from "commander"
import { Fault } from "../../firmware/errors.ts"
import type { Household } from "../owner/household.ts"
import { withShare } from "../owner/household-book.ts"
import { rewrapHeader } from "../owner/rewrap.ts"
import type { Vault, VaultClip, VaultObject } from "../owner/vault.ts"
import { look, openHousehold, type VaultOptions, vaultCommand } from "./owner-vault.ts"
import { writePrivate } from "./private-file.ts"

interface ShareOptions extends VaultOptions {
  readonly to: string
  readonly reason: string
  readonly out: string
  readonly headers?: boolean
}

const HELP = `
Each object gets a new age header for the receiver, before the same payload; nothing is opened, and nothing is sealed
anew. The receiver joins the clip with stock age:
  for s in shared/CLIP/*.age; do age -d -i their-key "$s"; done > clip.mp4
With --headers only the headers are written, for somebody who has the sealed objects: cat N.header N.payload.
That and why it was shared is kept in the household's book first. What was shown cannot be taken back.`

export function ownerShareCommand(): Command {
  return vaultCommand("share", "let somebody open one clip, with their own age key, and nothing else")
    .addArgument(new Argument("<clip>", "the clip's id, or its beginning"))
    .requiredOption("--to <recipient>", "their public age key (age1…)")
    .requiredOption("--reason <text>", "why, for your own record", reason)
    .option("--out <dir>", "where the files go", "shared")
    .option("--headers", "write the new headers alone, without the payloads")
    .addHelpText("after", HELP)
    .action(share)
}

/** A reason of nothing but blanks is none. @throws Fault "usage", definite. */
function reason(text: string): string {
  const said = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim()
  if (said.length < 3 || said.length > 120)
    throw new Fault("usage", "--reason: 3 to 120 characters that say why")
  return said
}

async function share(wanted: string, options: ShareOptions): Promise<void> {
  const { folder, household } = await openHousehold(options)
  const { vault, clip } = oneOf(await look(options, household, undefined, "the owner shares a clip"), wanted)
  vault.checkWhole(clip)
  const files = await rewrapped(clip, vault, household, options)
  const record = { clip: clip.clip, recipient: options.to, reason: options.reason, at: Date.now() }
  // Before anything is handed out: a share that nobody remembers is one that nobody can ask about.
  await folder.keepBook(withShare(household.book, record), household.keys)
  for (const [name, bytes] of files) await writePrivate(join(options.out, clip.clip, name), bytes)
  console.log(join(options.out, clip.clip))
}

async function rewrapped(
  { segments, thumbnail, summary }: VaultClip,
  vault: Vault,
  { identity }: Household,
  { to, headers }: ShareOptions,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  const put = async (name: string, object: VaultObject) => {
    const sealed = await vault.sealed(object)
    const header = await rewrapHeader(sealed, identity, to, object.entry.commit)
    if (headers) files.set(`${name}.header`, header)
    else files.set(`${name}.age`, Buffer.concat([header, sealed.subarray(object.entry.headerBytes)]))
  }
  for (const segment of segments) await put(String(segment.entry.index).padStart(6, "0"), segment)
  for (const about of [thumbnail, summary])
    if (about?.fate === "received") await put(join("about", about.entry.kind), about)
  return files
}

/** @throws Fault "usage", definite: no such clip, or more than one. */
function oneOf(
  cameras: readonly { readonly vault: Vault; readonly view: { readonly clips: readonly VaultClip[] } }[],
  wanted: string,
): { readonly vault: Vault; readonly clip: VaultClip } {
  const found = cameras.flatMap(({ vault, view }) =>
    view.clips.filter(({ clip }) => clip.startsWith(wanted)).map((clip) => ({ vault, clip })),
  )
  const [only] = found
  if (only && found.length === 1) return only
  const what = found.length === 0 ? "no clip begins" : `${found.length} clips begin`
  throw new Fault("usage", `${what} with ${wanted}; "obscura owner list" shows them`)
}
