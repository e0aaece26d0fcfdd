import { readFile } from "node:fs/promises"
import { createInterface } from "node:readline/promises"
import { Writable } from "node:stream"
import { Fault, messageOf } from "../../firmware/errors.ts"

const LENGTH_MIN = 8

/** From the file if one is named, else from the terminal, without showing it. @throws Fault "usage", definite. */
export async function readPassphrase(file: string | undefined, question: string): Promise<string> {
  const text =
    file === undefined
      ? await askSecretly(question, "the passphrase: give --passphrase-file")
      : await fromFile(file)
  const passphrase = text.replace(/\r?\n$/, "")
  if (passphrase.length < LENGTH_MIN)
    throw new Fault("usage", `a passphrase needs at least ${LENGTH_MIN} characters`)
  return passphrase
}

async function fromFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8")
  } catch (cause) {
    throw new Fault("usage", `--passphrase-file ${file}: cannot be read (${messageOf(cause)})`, { cause })
  }
}

/** What is typed at the terminal is not shown. @throws Fault "usage", definite: no terminal to ask for `wanted`. */
export async function askSecretly(question: string, wanted: string): Promise<string> {
  if (!process.stdin.isTTY) throw new Fault("usage", `no terminal to ask for ${wanted}`)
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await terminal.question("")
  } finally {
    terminal.close()
    process.stderr.write("\n")
  }
}
