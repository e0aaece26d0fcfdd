import { copyFile, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Decrypter } from "age-encryption"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { newHouseholdIdentity } from "../../../harness/owner/age-identity.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { mutant } from "../../mutants.ts"
import { quickScrypt } from "./quick-scrypt.ts"
import { owner } from "./run-command.ts"

const PASSPHRASE = "correct horse"
let folder: string
let keys: OwnerKeys
const home = () => join(folder, "home")
const stick = () => join(folder, "stick")
const ownerFolder = () => new OwnerFolder(join(home(), "owner"))
const where = () => ["--home", home(), "--passphrase-file", join(folder, "passphrase")]
const open = () => ownerFolder().open(async () => PASSPHRASE)

beforeAll(quickScrypt)
afterAll(() => vi.restoreAllMocks())

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-factor-"))
  await writeFile(join(folder, "passphrase"), `${PASSPHRASE}\n`)
  keys = await ownerFolder().create("x25519", PASSPHRASE)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe("a second factor", () => {
  test("opens together with the passphrase, and neither opens alone", async () => {
    expect((await owner("second-factor", "add", stick(), ...where())).code).toBe(0)
    expect((await stat(stick())).mode & 0o777).toBe(0o600)
    expect((await open()).recoveryKit).toBe(keys.recoveryKit)
    await rename(stick(), `${stick()}-at-home`)
    await expect(open()).rejects.toThrow("the second factor is not there")
    await rename(`${stick()}-at-home`, stick())
    const guessed = ownerFolder().open(async () => "another passphrase")
    await expect(guessed).rejects.toThrow("wrong passphrase")
    await writeFile(stick(), (await newHouseholdIdentity("x25519")).secretText)
    await expect(open()).rejects.toThrow("not the second factor that belongs")
    await writeFile(stick(), "nonsense")
    await expect(open()).rejects.toThrow("not the second factor that belongs")
  })

  test("that is lost loses nothing: the recovery kit opens without it", async () => {
    await owner("second-factor", "add", stick(), ...where())
    await rm(stick())
    expect((await OwnerKeys.fromRecoveryKit(keys.recoveryKit)).householdRecipient).toBe(
      keys.householdRecipient,
    )
  })

  test("can be removed by who has it, and not by who has not", async () => {
    await owner("second-factor", "add", stick(), ...where())
    await copyFile(stick(), `${stick()}-copy`)
    await rm(stick())
    await expect(owner("second-factor", "remove", ...where())).rejects.toThrow("is not there")
    await copyFile(`${stick()}-copy`, stick())
    expect((await owner("second-factor", "remove", ...where())).code).toBe(0)
    await rm(stick())
    expect((await open()).recoveryKit).toBe(keys.recoveryKit)
  })

  test("replaces no file that is there, and is refused to a household that has no passphrase", async () => {
    await writeFile(stick(), "somebody's letter")
    await expect(owner("second-factor", "add", stick(), ...where())).rejects.toThrow("cannot be made")
    expect(await readFile(stick(), "utf8")).toBe("somebody's letter")
    await new OwnerFolder(join(folder, "trial", "owner")).create("x25519", null)
    const words = ["second-factor", "add", join(folder, "new"), "--home", join(folder, "trial")]
    await expect(owner(...words)).rejects.toThrow("has no passphrase")
  })
})

/** What a thief sees who has the folder and the passphrase. */
async function hidesTheRoot(Keys: typeof OwnerKeys): Promise<void> {
  const factor = await newHouseholdIdentity("x25519")
  const made = await Keys.create()
  const decrypter = new Decrypter()
  decrypter.addPassphrase(PASSPHRASE)
  const opened = await decrypter.decrypt(await made.wrap(PASSPHRASE, factor.recipientText))
  expect(Buffer.from(opened).includes("OBSCURA-ROOT")).toBe(false)
}

test("the passphrase alone shows nothing of the root", () => hidesTheRoot(OwnerKeys))

test("keys that only say that they need a second factor are found out", async () => {
  const path = "harness/owner/keys.ts"
  const bent = await mutant<{ OwnerKeys: typeof OwnerKeys }>(path, {
    path,
    from: "factor === null ? this.recoveryKit",
    to: "true || sealForFactor || factor ? this.recoveryKit",
  })
  await expect(hidesTheRoot(bent.OwnerKeys)).rejects.toThrow("expected true to be false")
})
