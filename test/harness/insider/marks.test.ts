import { expect, test } from "vitest"
import { initialization } from "../../../firmware/media/initialization.ts"
import { PLAIN_MARKS, plainIn } from "../../../harness/insider/sealed-objects.ts"
import { parse } from "../../firmware/media/access-units.ts"
import { annexB, pictures } from "../../firmware/media/synthetic.ts"

const SEALED = Buffer.from("age-encryption.org/v1\n-> X25519 x\n")

test("an insider knows a plain film by its boxes, in whatever wrapping, and takes no ciphertext for one", () => {
  const stream = annexB(pictures({ groups: 1 }).flatMap(({ nals }) => nals))
  const [unit] = parse([{ bytes: stream, at: 0 }]).units
  if (!unit) throw new Error("no picture")
  const film = initialization(unit.sets, 0)
  expect(plainIn(film)).toBe("is no age file")
  for (const from of [0, film.indexOf("moov")])
    expect(plainIn(Buffer.concat([SEALED, film.subarray(from)]))).toMatch(/^shows /)
  expect(plainIn(Buffer.concat([SEALED, Buffer.from("an avc1 by chance")]))).toBeNull()
  // Of seven bytes: by chance once in some ten million gigabytes.
  for (const mark of PLAIN_MARKS) expect(mark.length).toBeGreaterThanOrEqual(7)
})
