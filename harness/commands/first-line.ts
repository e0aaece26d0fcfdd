import { createInterface } from "node:readline/promises"
import { Fault } from "../../firmware/errors.ts"
import { askSecretly } from "./passphrase.ts"

/** What is secret and no passphrase, from standard input: typed unseen at a terminal, or its first line. */
export async function firstLine(what: string): Promise<string> {
  if (process.stdin.isTTY) return (await askSecretly(`${what}: `, what)).trim()
  for await (const line of createInterface({ input: process.stdin })) return line.trim()
  throw new Fault("usage", `${what}: neither given nor on standard input`)
}
