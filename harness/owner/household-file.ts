import { identityToRecipient } from "age-encryption"
import { z } from "zod"
import { sign, verify } from "../../firmware/control/dsse.ts"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { sha256Hex } from "../../firmware/control/keys.ts"
import { sha256 } from "../../firmware/control/protocol.ts"
import { type AgeFile, sealAge } from "../../firmware/delivery/age.ts"
import { padJson, sidecar, unpadJson } from "../../firmware/delivery/padding.ts"
import { parseRecipient } from "../../firmware/delivery/recipient.ts"
import { Fault } from "../../firmware/errors.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"
import { identityFromText } from "./age-identity.ts"
import { type Book, bookShape } from "./household-book.ts"
import type { OwnerKeys } from "./keys.ts"
import { openAge } from "./open-age.ts"

/**
 * The household's book on a disk or in a cloud: an age file for a key that follows from the root, so that the root
 * alone opens it, padded to one size, and inside:
 *
 *   {"statement": base64 of a DSSE envelope "household" {version, book: SHA-256}, "book": base64 of the book's JSON}
 *
 * age knows no sender, and whoever has seen the recipient could make such a file. So the owner signs the book: nobody
 * else adds a member, a camera or a key.
 */
const BOOK_BYTES_MAX: Bytes = MiB
const statementShape = z.strictObject({ version: z.int().min(0), book: sha256 })
const plainShape = z.strictObject({
  statement: z.string().max(2_000),
  book: z.string().max(2 * BOOK_BYTES_MAX),
})

export async function sealBook(book: Book, keys: OwnerKeys): Promise<AgeFile> {
  const bytes = toJson(book)
  const statement = sign("household", { version: book.version, book: sha256Hex(bytes) }, keys.bookKey)
  const plain = {
    statement: Buffer.from(statement).toString("base64"),
    book: Buffer.from(bytes).toString("base64"),
  }
  const recipient = parseRecipient(await identityToRecipient(keys.bookSecret))
  return sealAge(padJson(plain, sidecar), recipient)
}

/**
 * @throws Fault "refused": sealed for somebody else; "tampered": changed, or not signed by this owner;
 *         "malformed": no such file. All definite.
 */
export async function openBook(file: Uint8Array, keys: OwnerKeys, commit?: string): Promise<Book> {
  const plain = await openAge(file, identityFromText(keys.bookSecret), commit === undefined ? {} : { commit })
  const read = fromJson(unpadJson(plain), plainShape, "household", 3 * BOOK_BYTES_MAX)
  const statement = verify("household", Buffer.from(read.statement, "base64"), keys.bookKey, statementShape)
  const bytes = Buffer.from(read.book, "base64")
  if (sha256Hex(bytes) !== statement.book)
    throw new Fault("tampered", "household: the book is not the one that its owner signed")
  return fromJson(bytes, bookShape, "household book", BOOK_BYTES_MAX)
}
