import { readdir, readFile } from "node:fs/promises"
import { basename, join, relative } from "node:path"
import type { Holding } from "../cloud/index/join-graph.ts"
import { privateFolder } from "../cloud/log/access-log.ts"
import { mailboxEntries } from "../cloud/log/mailboxes.ts"

/**
 * All that services and access log of the cloud in `cloud` keep, for a search for ways from one thing to another: every
 * state, journal line and file name, and every record of every mailbox. What is sealed counts by its name alone.
 */
export async function serviceHoldings(cloud: string): Promise<readonly Holding[]> {
  const services = join(cloud, "services")
  const found: Holding[] = []
  for (const path of await filesIn(services)) {
    const source = `services/${relative(services, path)}`
    const name = basename(path)
    // A path joins all that is in it: a box and its requests.
    found.push({
      source: "file names",
      record: relative(services, path)
        .split("/")
        .map((part) => part.split(".")[0]),
    })
    if (name.endsWith(".json")) found.push({ source, record: await readFile(path, "utf8") })
    if (name === "journal")
      for (const record of (await readFile(path, "utf8")).trimEnd().split("\n"))
        found.push({ source, record })
  }
  for (const path of await filesIn(privateFolder(join(cloud, "log"))))
    if (/^[0-9a-f]{2}$/.test(basename(path)))
      for (const { device, record } of mailboxEntries(await readFile(path)))
        found.push({ source: "access log", record: [device, record] })
  return found
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder, { recursive: true, withFileTypes: true })
    return names.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name))
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
    throw error
  }
}
