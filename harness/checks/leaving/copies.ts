import { randomBytes } from "node:crypto"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { sealAge } from "../../../firmware/delivery/age.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { parseHeader } from "../../owner/age-header.ts"
import { identityFromText, newHouseholdIdentity } from "../../owner/age-identity.ts"
import { openAge } from "../../owner/open-age.ts"
import { rewrapHeader } from "../../owner/rewrap.ts"
import { filmCopy } from "../../services/offering/film-copy.ts"
import { newObject } from "../../services/offering/new-object.ts"
import { opens } from "../../virtual/opening.ts"
import { type Run, Tries } from "../check.ts"
import { CANARY, clipOf } from "../worlds/marked-clip.ts"

export const checks = {
  "rewrapped-header": async () => {
    const tries = new Tries()
    const kinds = ["x25519", "post-quantum"] as const
    for (const kind of kinds) {
      const [own, member, other] = await Promise.all([1, 2, 3].map(() => newHouseholdIdentity(kind)))
      if (!own || !member || !other) throw new Error("three households")
      const plain = randomBytes(90_000)
      const { header, payload, payloadHash, commit } = await sealAge(plain, parseRecipient(own.recipientText))
      const file = Buffer.concat([header, ...payload])
      const owner = identityFromText(own.secretText)
      const given = await rewrapHeader(file, owner, member.recipientText, commit)
      const shared = Buffer.concat([given, ...payload])
      tries.is(sha256Hex(shared.subarray(given.length)), payloadHash, "the payload's hash")
      tries.is(parseHeader(given)?.stanzas.length, 1, "stanzas")
      tries.is(given.length, header.length, "bytes of the new header")
      const opened = await openAge(shared, identityFromText(member.secretText), { commit })
      tries.holds(Buffer.from(opened).equals(plain), "they open something else")
      for (const secret of [own.secretText, other.secretText])
        tries.is(
          await opens(shared, identityFromText(secret)),
          false,
          "somebody else opens what they were given",
        )
      const again = await rewrapHeader(file, owner, member.recipientText, commit)
      tries.holds(!Buffer.from(again).equals(Buffer.from(given)), "the same header twice")
      await tries.refused(
        () => rewrapHeader(file, owner, member.recipientText, "00".repeat(32)),
        "a file key that the manifest does not commit to",
      )
      const damaged = Buffer.from(file)
      const mac = damaged.indexOf("\n--- ") + 5
      damaged[mac] = damaged[mac] === 0x41 ? 0x42 : 0x41
      await tries.refused(
        () => rewrapHeader(damaged, owner, member.recipientText, commit),
        "a damaged header",
      )
    }
    const [quantum, weaker] = [
      await newHouseholdIdentity("post-quantum"),
      await newHouseholdIdentity("x25519"),
    ]
    const sealed = await sealAge(randomBytes(500), parseRecipient(quantum.recipientText))
    await tries.refused(
      () =>
        rewrapHeader(
          Buffer.concat([sealed.header, ...sealed.payload]),
          identityFromText(quantum.secretText),
          weaker.recipientText,
          sealed.commit,
        ),
      "a post-quantum object for a weaker key",
    )
    return tries
  },

  "new-object": async () => {
    const tries = new Tries()
    const [own, board] = await Promise.all([1, 2].map(() => newHouseholdIdentity("x25519")))
    if (!own || !board) throw new Error("two households")
    const seen = new Set<string>()
    const note = (what: string, bytes: string) => {
      tries.holds(!seen.has(bytes), `${what} is that of something that was there before`)
      seen.add(bytes)
    }
    for (const scene of ["day-person", "day-dog"] as const) {
      const clip = await clipOf(scene)
      const original = await sealAge(clip, parseRecipient(own.recipientText))
      for (const made of [original.headerHash, original.payloadHash, original.commit]) note("a hash", made)
      const film = filmCopy(clip)
      tries.holds(Buffer.from(clip).includes(CANARY), "the camera wrote nothing beside its pictures")
      tries.holds(
        !Buffer.from(film.bytes).includes(CANARY),
        "what the camera wrote beside its pictures left with them",
      )
      tries.is(Math.log2(film.bytes.length) % 1, 0, "its size, as a power of two")
      for (let copies = 0; copies < 2; copies++) {
        const { id, file, hash } = await newObject(film.bytes, board.recipientText)
        const header = parseHeader(file)
        note("an id", id)
        note("a hash", hash)
        note("a payload", sha256Hex(file.subarray(header?.bytes.length ?? 0)))
        note("a header", sha256Hex(header?.bytes ?? new Uint8Array()))
        tries.is(await opens(file, identityFromText(board.secretText)), true, "its receiver opens it")
        tries.is(await opens(file, identityFromText(own.secretText)), false, "the household's key opens it")
      }
    }
    return tries
  },
} satisfies Readonly<Record<string, Run>>
