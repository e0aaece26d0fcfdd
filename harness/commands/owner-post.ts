import { Argument, type Command, Option } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { linkTo } from "../services/neighbours/link.ts"
import { OwnerPosts } from "../services/neighbours/owner-posts.ts"
import { openServices } from "../services/services.ts"
import { type CopyOptions, copyOf, ownClip, withCopyOptions } from "./offered-clip.ts"
import { homePaths, wholeNumber } from "./options.ts"
import { openOwner } from "./owner.ts"
import { openHousehold, type VaultOptions, vaultCommand } from "./owner-vault.ts"

interface PostOptions extends VaultOptions, CopyOptions {
  readonly board: string
  readonly days: number
}

export const BOARD_PORT = 8_070
const DAY = 24 * 3_600_000
const HELP = `
Whoever has the link sees the film, and can hand the link on or keep the film. The key is behind the #, which browsers do
not send; but a page that the board serves could read it there. To post is to post: it is no consent to labelling, or to
anything else. Without a clip your posts are listed.`

export function ownerPostCommand(): Command {
  return withCopyOptions(
    vaultCommand("post", "post one clip for whoever has the link, until you take it down"),
  )
    .addArgument(new Argument("[clip]", "the clip's id, or its beginning; without one, what you have posted"))
    .option("--board <url>", "where the board answers, for the link", `http://127.0.0.1:${BOARD_PORT}`)
    .addOption(new Option("--days <n>", "for how long").argParser(wholeNumber(1, 31)).default(7))
    .addHelpText("after", HELP)
    .action(async (wanted: string | undefined, options: PostOptions) => {
      checkBoard(options.board)
      const { household } = await openHousehold(options)
      const paths = homePaths(options.home)
      const posts = new OwnerPosts(paths.owner, household.keys)
      if (wanted === undefined) return list(posts)
      const { vault, clip } = await ownClip(wanted, options, household)
      const { film } = await copyOf(vault, clip, options)
      const { neighbours } = openServices(paths.cloud)
      const { object, secret } = await posts.post(film.bytes, Date.now() + options.days * DAY, neighbours)
      console.log(linkTo(options.board, object, secret))
      console.error(
        `post ${object}: shown once, the link is kept nowhere; "obscura owner unpost" takes it down`,
      )
    })
}

/** Whoever is on the way to a board without TLS could put another page in its place, and that would read the key. */
function checkBoard(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null
  const isHere = url?.protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname)
  if (url === null || !(isHere || url.protocol === "https:"))
    throw new Fault(
      "usage",
      "--board: it looks like https://board.example.org; plain http is for this machine",
    )
  if (`${url.username}${url.password}${url.search}${url.hash}` !== "" || /[?#]/.test(text))
    throw new Fault("usage", "--board: an address alone, without user, ? or #")
}

async function list(posts: OwnerPosts): Promise<void> {
  const all = await posts.all()
  for (const { object, expires, removed } of all) {
    const state = removed
      ? "taken down"
      : `${expires <= Date.now() ? "expired" : "until"} ${new Date(expires).toISOString().slice(0, 10)}`
    console.log(`${object}  ${state}`)
  }
  if (all.length === 0) console.log("no posts")
}

export function ownerUnpostCommand(): Command {
  return vaultCommand("unpost", "take a post down: its link opens nothing from then on")
    .addArgument(new Argument("<post>", "its id, as post printed it, or the beginning of it"))
    .action(async (wanted: string, options: VaultOptions) => {
      const paths = homePaths(options.home)
      const posts = new OwnerPosts(paths.owner, await openOwner(options))
      const found = (await posts.all()).filter(({ object }) => object.startsWith(wanted))
      const [kept] = found
      const object = kept && found.length === 1 ? kept.object : wanted
      if (!/^[0-9a-f]{32}$/.test(object))
        throw new Fault(
          "usage",
          `${found.length || "no"} posts begin with ${JSON.stringify(wanted.slice(0, 40))}; "obscura owner post" lists them`,
        )
      const isGone = await posts.unpost(object, openServices(paths.cloud).neighbours)
      console.log(isGone ? "taken down; who has saved it has it" : "it was not there any more")
    })
}
