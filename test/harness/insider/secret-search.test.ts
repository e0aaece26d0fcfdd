import { randomBytes } from "node:crypto"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bech32 } from "@scure/base"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Secret, searchSecrets } from "../../../harness/insider/secret-search.ts"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-secrets-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const secret = randomBytes(32)
const secrets: readonly Secret[] = [
  { name: "the root", bytes: secret },
  { name: "the code", bytes: randomBytes(16) },
]
const words = bech32.encode("obscura-root-", bech32.toWords(secret), false)

const SPELLINGS: Readonly<Record<string, Buffer | string>> = {
  bytes: secret,
  hex: secret.toString("hex"),
  "upper-case hex": secret.toString("hex").toUpperCase(),
  base64: secret.toString("base64"),
  "base64 within other bytes": Buffer.concat([Buffer.from("xy"), secret, Buffer.from("z")]).toString(
    "base64",
  ),
  base64url: secret.toString("base64url"),
  bech32: words,
  "upper-case bech32": words.toUpperCase(),
}

describe("a secret of the run is found", () => {
  test.each(Object.entries(SPELLINGS))("as %s, wherever it stands", async (name, spelling) => {
    const file = join(folder, "line")
    for (const before of [0, 3, 4 * 2 ** 20 - 7]) {
      await writeFile(
        file,
        Buffer.concat([Buffer.alloc(before, 97), Buffer.from(spelling), Buffer.alloc(9, 98)]),
      )
      const { found } = await searchSecrets([folder], secrets)
      expect(found.map((each) => each.name)).toContain("the root")
      expect(found[0]?.file).toBe(file)
      if (!name.includes("within")) expect(JSON.stringify(found)).not.toContain(String(spelling).slice(0, 12))
    }
    await rm(file)
  })

  test("and nothing where there is none, not even beside a socket or in an empty file", async () => {
    const server = createServer().listen(join(folder, "lock"))
    await writeFile(join(folder, "empty"), "")
    await writeFile(join(folder, "other"), randomBytes(200_000))
    const { found, files } = await searchSecrets([folder], secrets)
    expect([found, files]).toEqual([[], 2])
    await new Promise((resolve) => server.close(resolve))
  })
})
