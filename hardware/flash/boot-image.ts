import { spawn } from "node:child_process"
import { open } from "node:fs/promises"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { BootPartition } from "./boot-partition.ts"
import { findFatPartition } from "./partition-table.ts"
import { toolEnv } from "./tool-env.ts"

/** One that FAT keeps without a long name beside it. */
const SHORT_NAME = /^[^.]{1,8}(?:\.[^.]{1,3})?$/

/** What mtools prints is a listing or a message; what it copies out is one of ours. */
const OUTPUT_MAX = 64 * 1024 * 1024

/**
 * The boot partition inside an image file, by mtools: no root, no loop device, and the same on macOS. What is removed stays
 * readable in its free space, as on any disk: an image that held one household's Wi-Fi is not for another's.
 * @throws Fault "usage", definite: no image, not writable, no boot partition, or no mtools on the PATH of `env`.
 */
export async function openBootImage(
  image: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<BootPartition> {
  const offset = await offsetOf(image)
  const mtools = (tool: string, words: readonly string[], input?: Uint8Array) =>
    run(tool, ["-i", `${image}@@${offset}`, ...words], env, image, input)
  const read = (file: string) => mtools("mcopy", [`::/${file}`, "-"])
  const remove = async (file: string) => void (await mtools("mdel", [`::/${file}`]))
  const write = async (file: string, bytes: Uint8Array) => {
    await mtools("mcopy", ["-", `::/${file}`], bytes)
    // mcopy writes what fits of a file that does not, and may say so in its exit code alone: look.
    if (!(await read(file)).equals(bytes))
      throw new Fault("full", `${image}: ${file} did not fit into its boot partition`)
  }
  return {
    name: image,
    list: async () =>
      String(await mtools("mdir", ["-b", "-a", "::/"]))
        .split("\n")
        .flatMap(nameIn),
    read,
    write,
    rename: async (from, to) => {
      // mren leaves the bytes where they are, so no second copy of a secret stays behind in free space. But it makes
      // CMDLINE.TXT of cmdline.txt: short names, of files without secrets, are copied.
      if (!SHORT_NAME.test(to)) return void (await mtools("mren", [`::/${from}`, `::/${to}`]))
      await write(to, await read(from))
      await remove(from).catch(async (cause: unknown) => {
        await remove(to)
        throw cause
      })
    },
    remove,
    free: async () => freeIn(String(await mtools("mdir", ["::/"])), image),
  }
}

async function offsetOf(image: string): Promise<number> {
  const file = await open(image, "r+").catch((cause: unknown) => {
    throw new Fault("usage", `${image}: cannot be opened for writing (${messageOf(cause)})`, { cause })
  })
  try {
    const found = await file.stat()
    if (!found.isFile())
      throw new Fault("usage", `${image}: is no image file; for a card give its boot folder with --boot`)
    return await findFatPartition(file, found.size, image)
  } finally {
    await file.close()
  }
}

/** mdir -b prints "::/name" for a file and "::/name/" for a folder. */
function nameIn(line: string): readonly string[] {
  const [, name] = /^::\/([^/]+)\/?$/.exec(line.trim()) ?? []
  return name === undefined ? [] : [name]
}

/** Its last line: "                    259 014 656 bytes free". */
function freeIn(listing: string, image: string): number {
  const [, digits] = /([\d ]+) bytes free/.exec(listing) ?? []
  if (digits === undefined) throw new Fault("usage", `${image}: mdir does not say how much is free`)
  return Number(digits.replaceAll(" ", ""))
}

function run(
  tool: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  image: string,
  input?: Uint8Array,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, words, {
      // No configuration of the user's; and never a question.
      env: { ...toolEnv(env), MTOOLSRC: "/dev/null", MTOOLS_SKIP_CHECK: "1", LC_ALL: "C" },
      stdio: ["pipe", "pipe", "pipe"],
    })
    const output: Buffer[] = []
    let length = 0
    let error = ""
    child.stdout.on("data", (bytes: Buffer) => {
      length += bytes.length
      if (length > OUTPUT_MAX) child.kill("SIGKILL")
      else output.push(bytes)
    })
    child.stderr.on("data", (bytes: Buffer) => {
      error = (error + String(bytes)).slice(0, 2_000)
    })
    child.on("error", (cause) =>
      reject(
        new Fault(
          "usage",
          `${tool} cannot be run (${messageOf(cause)}): apt install mtools, or brew install mtools`,
          {
            cause,
          },
        ),
      ),
    )
    child.on("close", (code) => {
      // mdir has been seen to fail with exit code 0.
      if (code === 0 && !error.includes("Cannot initialize")) resolve(Buffer.concat(output))
      else reject(refusal(tool, error, image))
    })
    // It may end before it has read everything, and then says why by itself.
    child.stdin.on("error", () => undefined)
    child.stdin.end(input ?? "")
  })
}

function refusal(tool: string, error: string, image: string): Fault {
  const line = error.trim().split("\n").at(-1) ?? ""
  if (/full|no space|no free/i.test(error)) return new Fault("full", `${image}: its boot partition is full`)
  return new Fault("usage", `${image}: ${tool} refused: ${line || "it does not say why"}`)
}
