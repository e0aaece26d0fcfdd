import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Option } from "commander"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import type { Dialler } from "../../firmware/ports.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { homePaths, loopbackUrl, PORT } from "./options.ts"

/**
 * Where the cloud of a household listens, for this machine's other commands: a broker URL in the file `address` of its
 * folder, there while it runs. Nobody believes it: who answers there has to be the cloud of identity.json.
 */
const ADDRESS = "address"

/** Rejects with the file system's own error. */
export async function leaveAddress(directory: string, url: string): Promise<void> {
  await writeFile(join(directory, ADDRESS), `${url}\n`)
}

export async function withdrawAddress(directory: string): Promise<void> {
  await rm(join(directory, ADDRESS), { force: true })
}

export const brokerOption = (): Option =>
  new Option(
    "--broker <url>",
    `where the cloud is (default: where this household's own listens, or ${loopbackUrl(PORT)})`,
  )

/**
 * To the cloud at `broker`; undefined: to this household's own.
 * @throws Fault "usage", definite: no such address.
 */
export async function cloudDialler(home: string, broker: string | undefined): Promise<Dialler> {
  if (broker !== undefined) return networkDialler(broker)
  const file = join(homePaths(home).cloud, ADDRESS)
  const url = await readAddress(file)
  if (url === null) return networkDialler(loopbackUrl(PORT))
  try {
    return networkDialler(url)
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Fault("usage", `${file}: ${cause.message}; start the cloud anew, or say --broker`, { cause })
  }
}

/** null: no cloud runs there. */
async function readAddress(file: string): Promise<string | null> {
  try {
    return (await readFile(file, "utf8")).trim()
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null
    throw new Fault("usage", `${file}: ${messageOf(cause)}; say --broker`, { cause })
  }
}
