import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { sealAge } from "../../../firmware/delivery/age.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { parseHeader } from "../../../harness/owner/age-header.ts"
import { identityFromText, newHouseholdIdentity } from "../../../harness/owner/age-identity.ts"
import { openAge } from "../../../harness/owner/open-age.ts"
import * as rewrap from "../../../harness/owner/rewrap.ts"
import { mutant } from "../../mutants.ts"
import { judge } from "../../support.ts"

type Rewrap = typeof rewrap.rewrapHeader
const PATH = "harness/owner/rewrap.ts"
const folder = mkdtempSync(join(tmpdir(), "obscura-rewrap-"))
afterAll(() => rmSync(folder, { recursive: true }))

const keys = {
  household: await newHouseholdIdentity("x25519"),
  member: await newHouseholdIdentity("x25519"),
  quantum: await newHouseholdIdentity("post-quantum"),
  quantumMember: await newHouseholdIdentity("post-quantum"),
}
const household = identityFromText(keys.household.secretText)
const plain = randomBytes(140_000)

async function clip(recipient = keys.household.recipientText) {
  const sealed = await sealAge(plain, parseRecipient(recipient))
  const payload = Buffer.concat(sealed.payload)
  return { ...sealed, payload, file: Buffer.concat([sealed.header, payload]) }
}

describe("a re-wrapped header", () => {
  test.skipIf(judge("age") === null)("joined with the payload as it was opens with stock age", async () => {
    const { file, payload, commit } = await clip()
    const header = await rewrap.rewrapHeader(file, household, keys.member.recipientText, commit)
    writeFileSync(join(folder, "key"), keys.member.secretText)
    writeFileSync(join(folder, "header"), header)
    writeFileSync(join(folder, "payload"), payload)
    const opened = execFileSync("sh", ["-c", "cat header payload | age -d -i key"], {
      cwd: folder,
      maxBuffer: 2 ** 20,
    })
    expect(opened.equals(plain)).toBe(true)
  })

  test.each(["member", "quantumMember"] as const)(
    "for a %s opens for them and for nobody else, under the manifest's payload hash and commitment",
    async (who) => {
      const [owner, sealed] =
        who === "member"
          ? [household, await clip()]
          : [identityFromText(keys.quantum.secretText), await clip(keys.quantum.recipientText)]
      const header = await rewrap.rewrapHeader(sealed.file, owner, keys[who].recipientText, sealed.commit)
      const shared = Buffer.concat([header, sealed.payload])
      expect(sha256Hex(shared.subarray(header.length))).toBe(sealed.payloadHash)
      const { commit } = sealed
      const opened = await openAge(shared, identityFromText(keys[who].secretText), { commit })
      expect(Buffer.from(opened).equals(plain)).toBe(true)
      await expect(openAge(shared, owner)).rejects.toMatchObject({ kind: "refused" })
      expect(parseHeader(header)?.stanzas).toHaveLength(1)
      expect(header.length).toBe(sealed.header.length)
    },
  )

  test("is another each time", async () => {
    const { file, commit } = await clip()
    const again = () => rewrap.rewrapHeader(file, household, keys.member.recipientText, commit)
    expect(Buffer.from(await again()).equals(Buffer.from(await again()))).toBe(false)
  })

  async function keepsQuantum(make: Rewrap = rewrap.rewrapHeader): Promise<void> {
    const { file, commit } = await clip(keys.quantum.recipientText)
    const weaker = make(file, identityFromText(keys.quantum.secretText), keys.member.recipientText, commit)
    await expect(weaker).rejects.toThrow("sealed post-quantum")
  }

  test("is never weaker than what it replaces", () => keepsQuantum())

  async function keepsCommitment(make: Rewrap = rewrap.rewrapHeader): Promise<void> {
    const { file } = await clip()
    const other = make(file, household, keys.member.recipientText, "00".repeat(32))
    await expect(other).rejects.toThrow("the one that the manifest commits to")
  }

  test("is made for no other file key than the manifest's", () => keepsCommitment())

  async function checksTheMac(make: Rewrap = rewrap.rewrapHeader): Promise<void> {
    const { file, commit } = await clip()
    const damaged = Buffer.from(file)
    const mac = damaged.indexOf("\n--- ") + 5
    damaged[mac] = damaged[mac] === 0x41 ? 0x42 : 0x41
    const made = make(damaged, household, keys.member.recipientText, commit)
    await expect(made).rejects.toThrow("MAC does not hold")
  }

  test("is made of no damaged header", () => checksTheMac())

  test("refuses what is no recipient, a secret key, another household's file and no file", async () => {
    const { file, commit } = await clip()
    const make = (bytes: Uint8Array, to: string) => rewrap.rewrapHeader(bytes, household, to, commit)
    const { member } = keys
    await expect(make(file, "age1nothing")).rejects.toThrow("not an age recipient")
    const mistake = make(file, member.secretText.toLowerCase())
    await expect(mistake).rejects.toThrow("that is a secret age key")
    const foreign = await clip(member.recipientText)
    await expect(make(foreign.file, member.recipientText)).rejects.toMatchObject({ kind: "refused" })
    for (const bytes of [new Uint8Array(), randomBytes(300), file.subarray(0, 50)])
      await expect(make(bytes, member.recipientText)).rejects.toMatchObject({ kind: "malformed" })
  })

  test.each([
    ["hands on to weaker keys", keepsQuantum, '!recipient.startsWith("age1pq1")', "false"],
    ["does not ask the manifest", keepsCommitment, "commitOf(fileKey) !== commit", "false"],
    ["does not look at the MAC", checksTheMac, "    verifyHeader(header, fileKey)\n    if", "    if"],
  ])("an owner who %s is found out", async (_what, check, from, to) => {
    const bent = await mutant<typeof rewrap>(PATH, { path: PATH, from, to })
    await expect(check(bent.rewrapHeader)).rejects.toThrow(/expected|resolved/)
  })
})
