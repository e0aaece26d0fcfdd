import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Readable } from "node:stream"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { sha256Hex, signingKeyOf } from "../../../firmware/control/keys.ts"
import { MiB } from "../../../firmware/units.ts"
import { newHouseholdIdentity } from "../../../harness/owner/age-identity.ts"
import { linkTo } from "../../../harness/services/neighbours/link.ts"
import { POST_BYTES_MAX, signPost } from "../../../harness/services/neighbours/post.ts"
import { type BoardServer, serveBoard } from "../../../harness/services/neighbours/server.ts"
import { newObject } from "../../../harness/services/offering/new-object.ts"
import { openServices, type Services } from "../../../harness/services/services.ts"
import { obscura } from "./obscura.ts"
import { Recorded } from "./people.ts"

const now = 1_800_000_000_000
let folder: string
let services: Services
let server: BoardServer
let faults: unknown[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-strangers-"))
  const log = new Recorded()
  services = openServices(folder, { append: (record: never) => log.record(record) } as never, () => now)
  faults = []
  server = await serveBoard(services.neighbours, 0, (error) => faults.push(error))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

const posts = (...names: string[]) => join(folder, "services", "neighbours", "posts", ...names)

async function post(file: Uint8Array, object = randomBytes(16).toString("hex")): Promise<string> {
  const terms = { object, file: sha256Hex(file), expires: now + 60_000 }
  await services.neighbours.post(signPost(terms, signingKeyOf(randomBytes(32))), file)
  return object
}

describe("a board that strangers ask", () => {
  test("holds next to nothing of what many of them take slowly", async () => {
    const object = await post(randomBytes(16 * MiB))
    const before = process.memoryUsage().arrayBuffers
    const slow: Socket[] = []
    for (let n = 0; n < 20; n++) {
      const socket = connect(server.port, "127.0.0.1")
      slow.push(socket)
      socket.write(`GET /o/${object} HTTP/1.1\r\nhost: board\r\n\r\n`)
      await once(socket, "readable")
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * MiB)
    for (const socket of slow) socket.destroy()
    expect(faults).toEqual([])
  })

  test("gives all of it to whoever takes it, and only its size to whoever asks for that", async () => {
    const file = randomBytes(3 * MiB + 7)
    const url = `http://127.0.0.1:${server.port}/o/${await post(file)}`
    expect(sha256Hex(new Uint8Array(await (await fetch(url)).arrayBuffer()))).toBe(sha256Hex(file))
    const head = await fetch(url, { method: "HEAD" })
    expect([head.headers.get("content-length"), (await head.arrayBuffer()).byteLength]).toEqual([
      String(file.length),
      0,
    ])
  })

  test("says that a record of its own is damaged, and of whom asks nothing", async () => {
    const object = await post(randomBytes(100))
    await writeFile(posts(`${object}.json`), "{")
    await expect(fetch(`http://127.0.0.1:${server.port}/o/${object}`)).rejects.toThrow()
    expect(faults).toMatchObject([{ kind: "malformed" }])
    expect(String(faults)).not.toContain("127.0.0.1")
  })
})

test("what a power cut leaves of a post, without its end or half written, goes at the next sweep", async () => {
  const object = await post(randomBytes(100))
  await mkdir(posts(), { recursive: true })
  await writeFile(posts(`${"1".repeat(32)}.age`), "of which nobody has said until when")
  await writeFile(posts(`${"2".repeat(32)}.age.0123.new`), "half")
  await services.neighbours.sweep()
  expect((await readdir(posts())).sort()).toEqual([`${object}.age`, `${object}.json`])
})

describe("whoever opens a link", () => {
  const stdin = Object.getOwnPropertyDescriptor(process, "stdin") ?? {}
  afterEach(() => void Object.defineProperty(process, "stdin", stdin))
  const type = (text: string) =>
    Object.defineProperty(process, "stdin", { value: Readable.from([text]), configurable: true })

  test("can keep its key from those who see what commands are called with", async () => {
    const film = randomBytes(1_000)
    const { secretText, recipientText } = await newHouseholdIdentity("x25519")
    const { id, file } = await newObject(film, recipientText)
    await post(file, id)
    type(`${linkTo(`http://127.0.0.1:${server.port}`, id, secretText)}\n`)
    const out = join(folder, "post.mp4")
    expect(await obscura("neighbours", "open", "--out", out)).toEqual({ code: 0, output: "" })
    expect(sha256Hex(await readFile(out))).toBe(sha256Hex(film))
    type("")
    expect(await obscura("neighbours", "open", "--out", out)).toEqual({
      code: 2,
      output: "obscura: the link: neither given nor on standard input",
    })
  })

  test("is not made to take more than a post has", async () => {
    const endless = createServer((_request, response) =>
      response.writeHead(200, { "content-length": POST_BYTES_MAX + 1 }).write("x"),
    ).listen(0, "127.0.0.1")
    await once(endless, "listening")
    const { secretText } = await newHouseholdIdentity("x25519")
    const { port } = endless.address() as AddressInfo
    const opened = await obscura(
      "neighbours",
      "open",
      linkTo(`http://127.0.0.1:${port}`, "0".repeat(32), secretText),
    )
    expect(opened).toEqual({ code: 1, output: "obscura: the board sends more than any post has" })
    endless.closeAllConnections()
    endless.close()
  })
})

test.each([
  ["http://board.example.org", "plain http is for this machine"],
  ["https://board.example.org/#x", "without user, ? or #"],
  ["https://ada:secret@board.example.org", "without user, ? or #"],
  ["board.example.org", "it looks like https://"],
])("no link to %s: its page could be another's, or the link useless", async (board, why) => {
  const { code, output } = await obscura("owner", "post", "abc", "--board", board, "--home", folder)
  expect([code, output]).toEqual([2, expect.stringContaining(why)])
})
