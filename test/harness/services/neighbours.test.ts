import { randomBytes } from "node:crypto"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { sha256Hex, signingKeyOf } from "../../../firmware/control/keys.ts"
import { run } from "../../../harness/cli.ts"
import { newHouseholdIdentity } from "../../../harness/owner/age-identity.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { LogMemory } from "../../../harness/owner/log-memory.ts"
import { serviceIdOf, signConsent } from "../../../harness/services/labelling/consent.ts"
import type { Board } from "../../../harness/services/neighbours/board.ts"
import { linkTo, parseLink } from "../../../harness/services/neighbours/link.ts"
import { OwnerPosts } from "../../../harness/services/neighbours/owner-posts.ts"
import { signPost, signUnpost } from "../../../harness/services/neighbours/post.ts"
import { type BoardServer, serveBoard } from "../../../harness/services/neighbours/server.ts"
import { filmCopy } from "../../../harness/services/offering/film-copy.ts"
import { newObject } from "../../../harness/services/offering/new-object.ts"
import { openServices, type Services } from "../../../harness/services/services.ts"
import { mutant } from "../../mutants.ts"
import { CANARY, clipOf } from "./clips.ts"
import { Recorded } from "./people.ts"

const DAY = 24 * 3_600_000
let film: Uint8Array
let keys: OwnerKeys
let folder: string
let now: number
let log: Recorded
let services: Services
let posts: OwnerPosts
let server: BoardServer
const said: string[] = []

beforeAll(async () => {
  film = filmCopy(await clipOf("day-dog")).bytes
  keys = await OwnerKeys.create()
  server = await serveBoard({ opened: (object) => services.neighbours.opened(object) }, 0)
})
afterAll(() => server.close())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-neighbours-"))
  now = 1_800_000_000_000
  log = new Recorded()
  const logged = { append: (record: never) => log.record(record) }
  services = openServices(folder, logged as never, () => now)
  posts = new OwnerPosts(join(folder, "owner"), keys)
  vi.spyOn(console, "error").mockImplementation((line) => void said.push(String(line)))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true, force: true })
})

const address = () => `http://127.0.0.1:${server.port}`
const post = () => posts.post(film, now + 7 * DAY, services.neighbours)
const get = (path: string) => fetch(`${address()}${path}`)
const refusal = (message: string) => ({ kind: "refused", message: expect.stringContaining(message) })

async function byHand(more: { expires?: number; file?: string } = {}, key = signingKeyOf(randomBytes(32))) {
  const { id, file, hash } = await newObject(film, (await newHouseholdIdentity("x25519")).recipientText)
  const envelope = signPost({ object: id, file: hash, expires: now + DAY, ...more }, key)
  return { id, file, envelope, key }
}

/** `obscura neighbours open LINK`, in this process. */
async function open(link: string): Promise<{ code: number; film: Uint8Array | null }> {
  const out = join(folder, "opened.mp4")
  await rm(out, { force: true })
  const code = await run(["node", "obscura", "neighbours", "open", link, "--out", out])
  return { code, film: await readFile(out).catch(() => null) }
}

describe("a post", () => {
  test("opens with its link, the key of which the board never hears, and is recorded once", async () => {
    const { object, secret } = await post()
    const { code, film: opened } = await open(linkTo(address(), object, secret))
    expect(code).toBe(0)
    expect(opened && sha256Hex(opened)).toBe(sha256Hex(film))
    const { id: mailbox } = keys.signingKeyForOffer(object)
    expect(log.of(mailbox)).toEqual(["grant"])
    expect(await new LogMemory(join(folder, "owner")).expected(mailbox)).toHaveLength(1)
    const names = await readdir(folder, { recursive: true, withFileTypes: true })
    for (const file of names.filter((each) => each.isFile() && each.name !== "opened.mp4")) {
      const text = await readFile(join(file.parentPath, file.name), "latin1")
      for (const word of [secret, secret.toLowerCase(), CANARY]) expect(text).not.toContain(word)
    }
  })

  test("is found by its id alone: the board answers nothing else, and the page is the same for all", async () => {
    const { object } = await post()
    expect((await get(`/o/${object}`)).status).toBe(200)
    const page = await (await get(`/p/${object}`)).text()
    expect(await (await get(`/p/${"0".repeat(32)}`)).text()).toBe(page)
    for (const path of [
      "/",
      "/o/",
      "/o",
      "/p/../staff",
      `/o/${object}.json`,
      `/o/${object}/`,
      "/services/staff/staff.json",
    ]) {
      const answer = await get(path)
      expect([path, answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([path, 404, 0])
    }
    expect((await fetch(`${address()}/o/${object}`, { method: "POST" })).status).toBe(405)
  })

  test.each(["taken down", "expired"])("%s is gone, and does not come back", async (how) => {
    const { object, secret } = await post()
    const mailbox = keys.signingKeyForOffer(object).id
    if (how === "expired") now += 8 * DAY
    else expect(await posts.unpost(object, services.neighbours)).toBe(true)
    expect((await get(`/o/${object}`)).status).toBe(404)
    expect((await open(linkTo(address(), object, secret))).code).toBe(1)
    expect(await posts.unpost(object, services.neighbours)).toBe(false)
    expect(log.of(mailbox)).toEqual(how === "expired" ? ["grant"] : ["grant", "deletion"])
    const files = await readdir(join(folder, "services", "neighbours", "posts"))
    expect(files).toEqual([`${object}.json`])
    const again = await byHand({}, keys.signingKeyForOffer(object))
    const envelope = signPost(
      { object, file: sha256Hex(again.file), expires: now + DAY },
      keys.signingKeyForOffer(object),
    )
    await expect(services.neighbours.post(envelope, again.file)).rejects.toMatchObject(refusal("or was"))
  })

  test("is no consent: the labelling service takes neither it nor its object, and the board takes no consent", async () => {
    const { envelope, file, id, key } = await byHand()
    const { intake, store } = services.labelling
    await services.neighbours.post(envelope, file)
    await expect(intake.offer(envelope, file)).rejects.toMatchObject({
      kind: expect.stringMatching(/malformed|tampered/),
    })
    const service = serviceIdOf((await store.keys()).recipient)
    const terms = {
      purpose: "train recognition",
      place: "outdoor",
      changed: [] as [],
      expires: now + DAY,
    } as const
    const consent = signConsent({ object: id, file: sha256Hex(file), service, ...terms }, key)
    await expect(intake.offer(consent, file)).rejects.toMatchObject(refusal("another key"))
    expect((await store.ledger()).items).toEqual([])
    await expect(services.neighbours.post(consent, file)).rejects.toMatchObject({ kind: "malformed" })
  })
})

describe("refused", () => {
  test("a link with another key, a mistyped one, none at all, and what is no link", async () => {
    const { object, secret } = await post()
    const { secretText } = await newHouseholdIdentity("x25519")
    expect(await open(linkTo(address(), object, secretText))).toEqual({ code: 1, film: null })
    expect(said.at(-1)).toBe("obscura: the key in this link does not open this post: it is another's")
    for (const link of [
      linkTo(address(), object, secret.slice(0, -1)),
      linkTo(address(), object, `${secret.slice(0, -1)}${secret.endsWith("Q") ? "P" : "Q"}`),
      linkTo(address(), object, ""),
      `${address()}/p/${object}`,
      `ftp://example.org/p/${object}#${secret}`,
      "hello",
    ]) {
      expect(() => parseLink(link)).toThrow(expect.objectContaining({ kind: "usage" }))
      expect(await open(link)).toEqual({ code: 2, film: null })
      try {
        parseLink(link)
      } catch (error) {
        expect(String(error)).not.toContain(secret.slice(0, 30))
      }
    }
  })

  test.each([
    ["expired", () => ({ expires: now }), "expired"],
    ["for ever", () => ({ expires: now + 32 * DAY }), "31 days"],
    ["of another file", () => ({ file: "0".repeat(64) }), "another file"],
  ])("a post that is %s", async (_name, more, why) => {
    const { envelope, file } = await byHand(more())
    await expect(services.neighbours.post(envelope, file)).rejects.toMatchObject(refusal(why))
  })

  test("a post in somebody's name that they did not sign, and one that is doubled", async () => {
    const { envelope, file } = await byHand()
    const forged = JSON.parse(Buffer.from(envelope).toString())
    forged.signatures[0].sig = Buffer.alloc(64).toString("base64")
    await expect(services.neighbours.post(Buffer.from(JSON.stringify(forged)), file)).rejects.toMatchObject({
      kind: "tampered",
    })
    await services.neighbours.post(envelope, file)
    await expect(services.neighbours.post(envelope, file)).rejects.toMatchObject(refusal("doubled"))
  })

  test("taking down what somebody else has posted", async () => {
    const { object } = await post()
    const stranger = signUnpost(object, signingKeyOf(randomBytes(32)))
    await expect(services.neighbours.unpost(stranger)).rejects.toMatchObject(refusal("only who posted it"))
    expect((await get(`/o/${object}`)).status).toBe(200)
  })
})

const BOARD = "harness/services/neighbours/board.ts"
const MISTAKES = {
  "shows what is over": {
    path: BOARD,
    from: "if (post.expires > this.#parts.now())",
    to: "if (post.expires > 0)",
  },
  "lets anybody take down": { path: BOARD, from: "if (post.key !== key)", to: "if (post.key === object)" },
  "keeps what was taken down": {
    path: BOARD,
    from: "await folder.erase(fileOf(object))\n      return true",
    to: "return true",
  },
} as const

describe("a board is caught that", () => {
  test.each(Object.keys(MISTAKES) as (keyof typeof MISTAKES)[])("%s", async (mistake) => {
    const bent = await mutant<{ Board: typeof Board }>(BOARD, MISTAKES[mistake])
    const { ServiceFolder } = await import("../../../harness/services/service-folder.ts")
    const parts = {
      folder: new ServiceFolder(join(folder, "services", "bent")),
      record: log.record,
      now: () => now,
    }
    const board = new bent.Board(parts)
    const { object } = await posts.post(film, now + DAY, board)
    const leaks = {
      "shows what is over": async () => {
        now += 2 * DAY
        return (await board.file(object)) !== null
      },
      "lets anybody take down": () => board.unpost(signUnpost(object, signingKeyOf(randomBytes(32)))),
      "keeps what was taken down": async () => {
        await posts.unpost(object, board)
        return (await board.file(object)) !== null
      },
    }[mistake]
    expect(await leaks()).toBe(true)
  })
})
