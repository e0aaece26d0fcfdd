import { generateKeyPairSync } from "node:crypto"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { publicKeyOf, signingKeyOf } from "../../../../firmware/control/keys.ts"
import { isFault } from "../../../../firmware/errors.ts"
import {
  type LogIdentity,
  openCheckpoint,
  parseCheckpoint,
  parseSize,
  signCheckpoint,
} from "../../../../harness/cloud/log/checkpoint.ts"
import {
  decodeCheckpointMessage,
  encodeCheckpointMessage,
} from "../../../../harness/cloud/log/checkpoint-message.ts"
import { cosign, verifyCosignature } from "../../../../harness/cloud/log/cosignature.ts"
import { EMPTY_ROOT } from "../../../../harness/cloud/log/merkle.ts"
import {
  formatNote,
  keyIdOf,
  NOTE_BYTES_MAX,
  parseNote,
  parseVerifierKey,
  signNote,
  verifierKey,
  verifyNote,
} from "../../../../harness/cloud/log/note.ts"
import { mutant } from "../../../mutants.ts"
import { COSIGNED, GO_CHECKSUM_DATABASE, GO_NOTE } from "./vectors.ts"

const key = signingKeyOf(Buffer.alloc(32, 7))
const log: LogIdentity = { origin: "cloud.example/access-log", key }
const root = Buffer.alloc(32, 9)
const checkpoint = signCheckpoint({ origin: log.origin, size: 12, root }, key)

const faults = (kind: "malformed" | "tampered") => expect.toSatisfy((error) => isFault(error, kind))

describe("a signed note", () => {
  test.each([GO_NOTE, GO_CHECKSUM_DATABASE, { key: COSIGNED.log, note: COSIGNED.note }])(
    "that others made verifies, and is written again byte for byte: $key",
    ({ key: text, note: bytes }) => {
      const note = parseNote(Buffer.from(bytes))
      verifyNote(note, parseVerifierKey(text))
      expect(Buffer.from(formatNote(note)).toString()).toBe(bytes)
      expect(verifierKey(parseVerifierKey(text))).toBe(text)
    },
  )

  test("is signed as others sign it, to the byte", () => {
    const signer = signingKeyOf(Buffer.from(GO_NOTE.secret, "base64").subarray(1))
    const { text } = parseNote(Buffer.from(GO_NOTE.note))
    const note = formatNote({ text, signatures: [signNote(text, "PeterNeumann", signer)] })
    expect(Buffer.from(note).toString()).toBe(GO_NOTE.note)
  })

  test("is split at its last empty line, so its text may have some", () => {
    expect(parseNote(Buffer.from("one\n\ntwo\n\n— name AAAAAAA=\n")).text).toBe("one\n\ntwo\n")
    expect(parseNote(Buffer.from("\n\n— name AAAAAAA=\n")).text).toBe("\n")
  })

  test("of an unknown key is not believed, and an unknown signature beside ours does no harm", () => {
    const note = parseNote(checkpoint)
    const stranger = signingKeyOf(Buffer.alloc(32, 8))
    expect(() => verifyNote(note, { name: log.origin, type: 1, key: stranger })).toThrow(faults("tampered"))
    const both = [signNote(note.text, "somebody", stranger), ...note.signatures]
    verifyNote({ text: note.text, signatures: both }, { name: log.origin, type: 1, key })
  })

  test("with one good signature of ours and one that does not hold is refused", () => {
    const note = parseNote(checkpoint)
    const [good] = note.signatures
    const signatures = good ? [good, { ...good, signature: Buffer.alloc(64) }] : []
    expect(() => verifyNote({ ...note, signatures }, { name: log.origin, type: 1, key })).toThrow(
      faults("tampered"),
    )
  })

  test("carries sixteen signatures, and not any number", () => {
    const line = "— name AAAAAAA=\n"
    expect(parseNote(Buffer.from(`text\n\n${line.repeat(16)}`)).signatures).toHaveLength(16)
    expect(() => parseNote(Buffer.from(`text\n\n${line.repeat(33)}`))).toThrow(faults("malformed"))
    expect(() => parseNote(Buffer.alloc(NOTE_BYTES_MAX + 1, 10))).toThrow(faults("malformed"))
  })

  test.each([
    "",
    "text\n",
    "text\n\n",
    "text\n— name AAAAAAA=\n",
    "text\n\n— name AAAAAAA=",
    "text\n\n— name AAAA\n",
    "text\n\n— name AAAAAAB=\n",
    "text\n\n— name  AAAAAAA=\n",
    "text\n\n— na me AAAAAAA=\n",
    "text\n\n— na+me AAAAAAA=\n",
    "text\n\n— na\u00a0me AAAAAAA=\n",
    "text\n\n- name AAAAAAA=\n",
    "te\txt\n\n— name AAAAAAA=\n",
    "te\r\nxt\n\n— name AAAAAAA=\n",
  ])("of another form is none: %j", (text) => {
    expect(() => parseNote(Buffer.from(text))).toThrow(faults("malformed"))
  })

  test("any bytes are a note or malformed", () => {
    const source = Buffer.from(COSIGNED.note)
    const changed = fc
      .tuple(fc.nat(source.length - 1), fc.uint8Array({ maxLength: 4 }))
      .map(([at, bytes]) => {
        return Buffer.concat([source.subarray(0, at), bytes, source.subarray(at + 1)])
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), (bytes) => {
        for (const parse of [parseNote, decodeCheckpointMessage, (b: Uint8Array) => openCheckpoint(b, log)])
          expect(outcomeOf(() => parse(bytes))).toMatch(/^(fine|malformed|tampered)$/)
      }),
      { numRuns: 1_000 },
    )
  })
})

function outcomeOf(work: () => unknown): string {
  try {
    work()
    return "fine"
  } catch (error) {
    return isFault(error) ? error.kind : "another error"
  }
}

describe("a verifier key", () => {
  test("with another id, of another type or of small order is refused", () => {
    const text = verifierKey({ name: "name", type: 1, key })
    expect(() => parseVerifierKey(text.replace(/\+[0-9a-f]{8}\+/, "+00000000+"))).toThrow(faults("malformed"))
    expect(() => parseVerifierKey("name+530d903a+AwEB")).toThrow(faults("malformed"))
    expect(() => parseVerifierKey("name")).toThrow(faults("malformed"))
    const zero = Buffer.concat([Buffer.from([1]), Buffer.alloc(32)]).toString("base64")
    expect(() => parseVerifierKey(`name+00000000+${zero}`)).toThrow(
      expect.toSatisfy((e) => isFault(e, "refused")),
    )
  })

  test("has another id for each use", () => {
    expect(keyIdOf({ name: "name", type: 1, key })).not.toBe(keyIdOf({ name: "name", type: 4, key }))
    expect(keyIdOf({ name: "name", type: 1, key })).not.toBe(keyIdOf({ name: "other", type: 1, key }))
  })
})

describe("a checkpoint", () => {
  test("that others signed is read", () => {
    const { text } = parseNote(Buffer.from(GO_CHECKSUM_DATABASE.note))
    expect(parseCheckpoint(text)).toMatchObject({ origin: "go.sum database tree", size: 20_852_163 })
  })

  test("opens with the log's key alone, and under the log's name alone", () => {
    expect(openCheckpoint(checkpoint, log)).toMatchObject({ origin: log.origin, size: 12, root })
    expect(refusals(openCheckpoint)).toEqual(["tampered", "tampered", "tampered", "tampered"])
  })

  test("a check that leaves out the signature takes what nobody signed", async () => {
    const path = "harness/cloud/log/checkpoint.ts"
    const from = "  verifyNote(note, { name: origin, type: SIGNATURE_TYPE.ed25519, key })\n"
    const unsafe = await mutant<typeof import("../../../../harness/cloud/log/checkpoint.ts")>(path, {
      path,
      from,
      to: "",
    })
    expect(refusals(unsafe.openCheckpoint)).not.toEqual(["tampered", "tampered", "tampered", "tampered"])
  })

  test.each([
    "origin\n12\n",
    `\n12\n${root.toString("base64")}\n`,
    `origin\n012\n${root.toString("base64")}\n`,
    `origin\n-1\n${root.toString("base64")}\n`,
    `origin\n1e3\n${root.toString("base64")}\n`,
    `origin\n999999999999999\n${root.toString("base64")}\n`,
    `origin\n0\n${root.toString("base64")}\n`,
    `origin\n12\n${root.toString("base64")}`,
    `origin\n12\n${root.toString("base64")}\n\n`,
    `origin\n12\n${root.toString("base64url")}\n`,
    `origin\n12\n${Buffer.alloc(31).toString("base64")}\n`,
  ])("of another form is none: %j", (text) => {
    expect(() => parseCheckpoint(text)).toThrow(faults("malformed"))
  })

  test("of an empty tree has size 0 and the empty root; lines behind are carried", () => {
    expect(parseSize("0")).toBe(0)
    const text = `origin\n0\n${EMPTY_ROOT.toString("base64")}\nmore\n`
    expect(parseCheckpoint(text)).toMatchObject({ size: 0 })
  })
})

/** A changed size, a foreign key, a signature made up, another name. */
function refusals(open: typeof openCheckpoint): string[] {
  const { publicKey } = generateKeyPairSync("ed25519")
  const foreign = publicKeyOf(Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url"))
  const text = checkpoint.toString()
  const other = signCheckpoint({ origin: "other.example/access-log", size: 12, root }, key)
  return [
    outcomeOf(() => open(Buffer.from(text.replace("\n12\n", "\n13\n")), log)),
    outcomeOf(() => open(checkpoint, { ...log, key: foreign })),
    outcomeOf(() =>
      open(Buffer.from(text.replace(/ \S+\n$/, ` ${Buffer.alloc(68).toString("base64")}\n`)), log),
    ),
    outcomeOf(() => open(other, log)),
  ]
}

describe("a cosignature", () => {
  test.each(COSIGNED.witnesses)("of a public witness verifies, with its time: %s", (text) => {
    const { name, key } = parseVerifierKey(text)
    expect(verifyCosignature(parseNote(Buffer.from(COSIGNED.note)), name, key)).toEqual({
      witness: name,
      at: COSIGNED.at,
    })
  })

  test("does not hold for another tree, another time, or as a signature of the log", () => {
    const note = parseNote(checkpoint)
    const line = cosign(note.text, "witness.example", key, 1_700_000_000)
    const cosigned = { text: note.text, signatures: [...note.signatures, line] }
    expect(verifyCosignature(cosigned, "witness.example", key).at).toBe(1_700_000_000)
    const later = Buffer.from(line.signature)
    later.writeBigUInt64BE(1_700_000_001n)
    for (const wrong of [
      { ...cosigned, text: cosigned.text.replace("12", "13") },
      { ...cosigned, signatures: [{ ...line, signature: later }] },
      { ...cosigned, signatures: [{ ...line, signature: line.signature.subarray(8) }] },
      { ...cosigned, signatures: [{ ...line, signature: new Uint8Array(3) }] },
      note,
    ])
      expect(() => verifyCosignature(wrong, "witness.example", key)).toThrow(faults("tampered"))
    expect(() => verifyNote(cosigned, { name: "witness.example", type: 1, key })).toThrow(faults("tampered"))
  })
})

describe("a checkpoint message", () => {
  test("comes back as it went", () => {
    const message = { old: 7, proof: [root, EMPTY_ROOT], note: checkpoint }
    expect(decodeCheckpointMessage(encodeCheckpointMessage(message))).toEqual({
      old: 7,
      proof: [root, EMPTY_ROOT],
      note: Buffer.from(checkpoint),
    })
  })

  test("may be the note alone", () => {
    expect(decodeCheckpointMessage(checkpoint)).toEqual({ old: 0, proof: [], note: Buffer.from(checkpoint) })
  })

  test.each([
    "old \n\nnote",
    "old 01\n\nnote",
    "old 5",
    "old 5\nAAAA\n\nnote",
    `old 5\n${"A".repeat(43)}=\n`.repeat(70),
  ])("of another form is none: %j", (text) => {
    expect(() => decodeCheckpointMessage(Buffer.from(text))).toThrow(faults("malformed"))
  })
})
