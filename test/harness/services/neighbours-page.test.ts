import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Browser, chromium } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { newHouseholdIdentity } from "../../../harness/owner/age-identity.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { linkTo } from "../../../harness/services/neighbours/link.ts"
import { OwnerPosts } from "../../../harness/services/neighbours/owner-posts.ts"
import { type BoardServer, serveBoard } from "../../../harness/services/neighbours/server.ts"
import { filmCopy } from "../../../harness/services/offering/film-copy.ts"
import { openServices } from "../../../harness/services/services.ts"
import { judge } from "../../support.ts"
import { clipOf } from "./clips.ts"
import { Recorded } from "./people.ts"

/** What a visitor's browser makes of a link; the judge is an installed Chromium. */
const here = judge("chromium")
let folder: string
let browser: Browser | null = null
let server: BoardServer
let link: string
let other: string
const asked: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-page-"))
  const logged = { append: (record: never) => new Recorded().record(record) }
  const { neighbours } = openServices(folder, logged as never)
  const posts = new OwnerPosts(join(folder, "owner"), await OwnerKeys.create("post-quantum"))
  const film = filmCopy(await clipOf("day-dog")).bytes
  const { object, secret } = await posts.post(film, Date.now() + 86_400_000, neighbours)
  server = await serveBoard(neighbours, 0)
  const board = `http://127.0.0.1:${server.port}`
  link = linkTo(board, object, secret)
  other = linkTo(board, object, (await newHouseholdIdentity("post-quantum")).secretText)
  if (here !== null) browser = await chromium.launch({ executablePath: here, args: ["--no-sandbox"] })
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

test.skipIf(here === null)(
  "opens a post in the browser, shows it, and sends no key",
  async () => {
    const page = await browser?.newPage()
    if (!page) throw new Error("no browser")
    const complaints: string[] = []
    page.on("request", (request) => asked.push(`${request.url()} ${JSON.stringify(request.headers())}`))
    page.on("console", (message) => complaints.push(message.text()))
    page.on("pageerror", (error) => complaints.push(error.message))
    await page.goto(link)
    await page.waitForSelector("video:not([hidden])")
    expect(await page.textContent("#status")).toBe("Opened here, in your browser.")
    const shown = await page.evaluate(`new Promise((resolve, reject) => {
    const video = document.querySelector("video")
    video.onerror = () => reject(new Error(video.error.message))
    const tell = () => resolve([video.videoWidth, video.videoHeight])
    if (video.readyState >= 2) tell()
    else video.onloadeddata = tell
  })`)
    expect(shown).toEqual([1280, 720])
    const secret = link.split("#")[1] ?? "?"
    expect(asked.length).toBeGreaterThanOrEqual(2)
    for (const each of asked) expect(each.toUpperCase()).not.toContain(secret)
    for (const [address, says] of [
      [other, "The key in this link does not open this post."],
      [link.slice(0, -4), "The key in this link is mistyped or cut short. Ask for the whole of it."],
      [
        link.split("#")[0] ?? "",
        "This link has lost its key. Ask for the whole of it, with what is behind the #.",
      ],
      [
        link.replace(/\/p\/[0-9a-f]{32}/, `/p/${"0".repeat(32)}`),
        "There is no such post, or its owner has taken it down.",
      ],
    ] as const) {
      await page.goto("about:blank")
      const answer = await page.goto(address)
      if (says === null) expect(answer?.status()).toBe(404)
      else await expect.poll(() => page.textContent("#status")).toBe(says)
    }
    expect(complaints.filter((each) => !each.includes("404"))).toEqual([])
  },
  60_000,
)
