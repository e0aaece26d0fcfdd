import { appendFile, open, readFile } from "node:fs/promises"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { type SelfTestRecord, selfTestRecord } from "./record.ts"

/** A list of boards and their keys is nobody else's business. One that is there keeps its own. */
const MODE = 0o600

/**
 * Earlier records, one a line. A file that is not there yet holds none when it is the one that records go to.
 * @throws Fault "usage", definite, naming file and line.
 */
export async function readSeen(
  file: string,
  recordsGoTo: string | undefined,
): Promise<readonly SelfTestRecord[]> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" && file === recordsGoTo) return ""
    throw new Fault("usage", `--seen ${file}: cannot be read (${messageOf(cause)})`, { cause })
  })
  return text
    .split("\n")
    .flatMap((line, index) => (line.trim() === "" ? [] : [recordIn(line, `${file}:${index + 1}`)]))
}

function recordIn(line: string, where: string): SelfTestRecord {
  try {
    return selfTestRecord.parse(JSON.parse(line))
  } catch (cause) {
    throw new Fault("usage", `--seen ${where}: not a record of a self-test; it takes what --record wrote`, {
      cause,
    })
  }
}

/** Before a test that takes minutes: can its record be kept? @throws Fault "usage", definite. */
export async function refuseUnwritable(file: string): Promise<void> {
  try {
    await (await open(file, "a", MODE)).close()
  } catch (cause) {
    throw new Fault("usage", `--record ${file}: cannot be written (${messageOf(cause)})`, { cause })
  }
}

/** One line at the end of the file. @throws Fault "unavailable". */
export async function keepRecord(file: string, record: SelfTestRecord): Promise<void> {
  try {
    await appendFile(file, `${JSON.stringify(record)}\n`, { flush: true, mode: MODE })
  } catch (cause) {
    throw new Fault("unavailable", `--record ${file}: cannot be written (${messageOf(cause)})`, { cause })
  }
}

interface Board {
  readonly device: string
  readonly serial: string | null
}

/** Which other board has this one's key, in words; null: none that was seen. One board tested twice is one board. */
export function sameKey({ device, serial }: Board, seen: readonly SelfTestRecord[]): string | null {
  const twin = seen.find(
    (record) => record.device === device && (serial === null || record.board.serial !== serial),
  )
  if (!twin) return null
  if (serial === null)
    return `a board that was tested before has this key, and this one has no serial number to tell them apart: give --serial`
  return `board ${twin.board.serial ?? "without a serial number"}, tested ${twin.begunAt}, has the same key: a card was copied after its first boot; hold the button through a boot on both`
}
