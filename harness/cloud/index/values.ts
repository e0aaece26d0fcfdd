import { createHash } from "node:crypto"

/**
 * What counts as a value by which two records can be joined. The rule is: everything, unless it is listed here. So a column
 * or field that somebody adds counts until a person decides that it only measures something.
 *
 * Whoever shortens these lists makes the check stricter, whoever lengthens them gives a reason.
 */

/**
 * Names of fields that measure or count. Equal ones are chance: a thousand segments have the one padded size, and every
 * camera has an object of sequence 1. Times are among them: two rows of one millisecond are chance too, and two that lie
 * close are a question of nearness, which no equality answers. An account knows only the day on which it began.
 */
const QUANTITIES = named(
  "bytes headerBytes payloadBytes spoolBytes size objects waiting viewers pictures",
  "sequence number from to index segments newest epoch entries",
  "arrived sent since at time timestamp duration temperatureCelsius level port",
)

/** Names of fields whose words come from a closed list: "segment" in two rows says nothing about whom. */
const WORDS = named("event who kind role message cause where result plan payloadType basis host")

/**
 * Names of fields with sentences, this program's or a person's: as a whole they say nothing, but what looks like an
 * identifier in one counts. So it does in every other text.
 */
const SENTENCES = named("msg reason what name text")

/** What of a sentence may identify somebody by itself: an e-mail, or six characters and more with a digit, but for a date. */
const PIECE = /[^\s"'`(),;:=<>[\]{}|\\/]+/g
const DATE = /^\d{4}-\d\d-\d\d/
/** Of a number in hex, so much is compared: an id that was cut short in a line is still that id. 2^48 leave no chance. */
const HEX_DIGITS = 12
const HEX = new RegExp(`^[0-9a-f]{${HEX_DIGITS},}$`)
const TEXT_CHARACTERS_MAX = 200_000

/** Each value of a record with the name of its field, texts in texts and signed envelopes opened. */
export function* valuesIn(
  record: unknown,
  field = "",
): Generator<{ readonly field: string; readonly value: string }> {
  if (record === null || record === undefined || typeof record === "boolean") return
  if (typeof record === "number" || typeof record === "bigint") {
    if (!QUANTITIES.has(field)) yield { field, value: `number ${record}` }
  } else if (typeof record === "string") {
    const inside = jsonIn(record)
    if (inside !== null) yield* valuesIn(inside, field)
    else for (const value of valuesOfText(record, field)) yield { field, value }
  } else if (record instanceof Uint8Array) {
    const bytes = Buffer.from(record)
    const inside = jsonIn(bytes.toString("utf8"))
    yield* valuesIn(inside ?? bytes.toString("hex"), field)
  } else if (Array.isArray(record)) {
    for (const each of record) yield* valuesIn(each, field)
  } else {
    for (const [name, each] of Object.entries(record)) yield* valuesIn(each, name)
  }
}

function* valuesOfText(text: string, field: string): Generator<string> {
  if (text.length > TEXT_CHARACTERS_MAX) return
  const isWord = WORDS.has(field) || QUANTITIES.has(field)
  if (!isWord && !SENTENCES.has(field) && text.trim() !== "") yield canonical(text)
  for (const [piece] of text.matchAll(PIECE)) {
    const bare = canonical(piece.replace(/^[.!?]+|[.!?]+$/g, ""))
    const isIdentifier = bare.includes("@") || HEX.test(bare)
    if (isIdentifier || (!isWord && bare.length >= 6 && /\d/.test(bare) && !DATE.test(bare))) yield bare
  }
}

/** One spelling of what is the same. */
export function canonical(text: string): string {
  return text.trim().toLowerCase()
}

/** What also stands for it: of an id or a hash in hex its beginning, for it may have been cut short elsewhere. */
function shortOf(text: string): readonly string[] {
  return HEX.test(text) ? [`hex ${text.slice(0, HEX_DIGITS)}`] : []
}

/** `value`, and what anybody can make of it without a key: to store an e-mail's hash is to store the e-mail. */
export function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value)
  const digests = ["sha256", "sha1", "md5", "sha512"].map((name) => createHash(name).update(bytes).digest())
  const inHex = digests.map((digest) => digest.toString("hex"))
  const spelled = [bytes, ...digests].flatMap((each) => [each.toString("base64"), each.toString("base64url")])
  return [
    ...[value, ...shortOf(value), ...inHex, ...inHex.flatMap(shortOf)],
    ...[bytes.toString("hex"), encodeURIComponent(value), ...spelled].map(canonical),
  ]
}

/** What a text holds that is JSON, as it is or in base64, as envelopes do; null: neither. */
function jsonIn(text: string): unknown {
  const candidates = [
    text,
    /^[A-Za-z0-9+/]{8,}={0,2}$/.test(text) ? Buffer.from(text, "base64").toString("utf8") : "",
  ]
  for (const candidate of candidates) {
    if (!/^\s*[{[]/.test(candidate)) continue
    try {
      return JSON.parse(candidate)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return null
}

function named(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")))
}
