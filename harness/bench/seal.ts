import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { Fault } from "../../firmware/errors.ts"
import type { Bytes, Seconds } from "../../firmware/units.ts"
import type { Bench } from "./bench.ts"
import { withProcess } from "./process.ts"
import { bestOfTen, type Finding } from "./row.ts"

const MB = 1e6
const OPENSSL = "openssl speed chacha20-poly1305, 64 KiB"

/** Sealing as a stream, against what the processor can do. */
export async function seal(bench: Bench): Promise<readonly Finding[]> {
  const { ours, theirs } = await besideOpenssl(bench, "seal", "stream")
  return [
    {
      name: "seal",
      unit: "MB/s",
      reach: 0.5,
      better: "higher",
      ours,
      theirs: { what: OPENSSL, values: theirs },
    },
  ]
}

/** An object with its hashes, and the signature over what the manifest says of it. */
export async function sealSign(bench: Bench): Promise<readonly Finding[]> {
  const { ours, theirs } = await besideOpenssl(bench, "seal-sign", "sign")
  const against = { what: OPENSSL, values: theirs }
  return [{ name: "seal-sign", unit: "MB/s", reach: 0.25, better: "higher", ours, theirs: against }]
}

export async function sealTypage({ quick, say }: Bench): Promise<readonly Finding[]> {
  const bytes = (quick ? 1 : 10) * MB
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < rounds(quick); round++) {
    const speed = (by: string) => speedOf("file", { bytes, by }, bytes)
    ours.push(await speed("ours"))
    theirs.push(await speed("typage"))
    say(`seal-typage ${ours[round]?.toFixed(0)} MB/s, typage ${theirs[round]?.toFixed(0)} MB/s`)
  }
  const against = { what: "typage", values: theirs }
  return [{ name: "seal-typage", unit: "MB/s", reach: 12, better: "higher", ours, theirs: against }]
}

export async function sealMemory({ quick, say }: Bench): Promise<readonly Finding[]> {
  const all: Bytes = (quick ? 50 : 1_000) * MB
  const ours: number[] = []
  for (let round = 0; round < rounds(quick); round++) {
    const grown = await withProcess("seal", {}, (work) =>
      work.ask<Bytes>("growth", { bytes: all, warmUp: all / 5 }),
    )
    ours.push(grown / MB)
    say(`seal-memory ${ours[round]?.toFixed(1)} MB`)
  }
  return [{ name: "seal-memory", unit: "MB", reach: 50, better: "lower", ours }]
}

async function besideOpenssl({ quick, say }: Bench, name: string, question: "stream" | "sign") {
  const bytes = (quick ? 5 : 100) * MB
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < rounds(quick); round++) {
    theirs.push(await opensslSpeed(quick ? 1 : 2))
    ours.push(await speedOf(question, { bytes }, bytes))
    say(`${name} ${ours[round]?.toFixed(0)} MB/s, openssl ${theirs[round]?.toFixed(0)} MB/s`)
  }
  return { ours, theirs }
}

const rounds = (quick: boolean): number => (quick ? 1 : 5)

/** In a fresh process. */
async function speedOf(question: string, argument: object, bytes: Bytes): Promise<number> {
  return withProcess("seal", {}, async (work) => {
    const best = await bestOfTen(() => work.ask<Seconds>(question, argument))
    return bytes / MB / best
  })
}

/** MB/s. */
async function opensslSpeed(length: Seconds): Promise<number> {
  const args = [
    "speed",
    "-elapsed",
    "-mr",
    "-seconds",
    String(length),
    "-evp",
    "chacha20-poly1305",
    "-bytes",
    "65536",
  ]
  try {
    const { stdout } = await promisify(execFile)("openssl", args)
    // +F:22:ChaCha20-Poly1305:<bytes a second>
    const speed = Number(/^\+F:.*:([\d.]+)$/m.exec(stdout)?.[1])
    if (speed > 0) return speed / MB
    throw new Error("it reports no speed")
  } catch (cause) {
    throw new Fault("usage", "the rows seal and seal-sign need the command openssl", { cause })
  }
}
