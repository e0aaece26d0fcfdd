import { Argument, Command, Option } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { type Bytes, seconds } from "../../firmware/units.ts"
import { openPost, parseLink } from "../services/neighbours/link.ts"
import { POST_BYTES_MAX } from "../services/neighbours/post.ts"
import { serveBoard } from "../services/neighbours/server.ts"
import { openServices } from "../services/services.ts"
import { firstLine } from "./first-line.ts"
import { fileSink, playerSink } from "./live-sink.ts"
import { homeOption, homePaths, wholeNumber } from "./options.ts"
import { BOARD_PORT } from "./owner-post.ts"
import { aborted, stopOnSignals } from "./stop.ts"

const HELP = `
A post is an object that only its link opens: the key is behind the #, which browsers do not send. The board has no list,
opens nothing and writes down nobody. A page that it serves could read the key all the same; "open" needs no page.`

export function neighboursCommand(): Command {
  return new Command("neighbours")
    .description("the board on which owners post clips for whoever has the link")
    .addHelpText("after", HELP)
    .addCommand(serveCommand())
    .addCommand(openCommand())
}

function serveCommand(): Command {
  return new Command("serve")
    .description("answer for the board, on this machine: put TLS in front of it for others")
    .addOption(homeOption())
    .addOption(
      new Option("--port <n>", "0 takes any free one").argParser(wholeNumber(0, 65_535)).default(BOARD_PORT),
    )
    .action(async ({ home, port }: { home: string; port: number }) => {
      const { neighbours } = openServices(homePaths(home).cloud)
      await neighbours.sweep()
      const { signal } = stopOnSignals()
      const server = await serveBoard(neighbours, port, (error) =>
        console.error(`! a post could not be shown: ${messageOf(error)}`),
      )
      console.log(`http://127.0.0.1:${server.port}`)
      await aborted(signal)
      await server.close()
    })
}

function openCommand(): Command {
  return new Command("open")
    .description("open a post by its link, without anybody's page")
    .addArgument(
      new Argument(
        "[link]",
        "the whole of it, with what is behind the #; without it, it is read from standard input, for others on this machine see what a command is called with",
      ),
    )
    .addOption(new Option("--play", "show it with ffplay or mpv").conflicts("out"))
    .option("--out <file>", "write it as MP4; - is standard output", "post.mp4")
    .action(async (text: string | undefined, { play, out }: { play?: boolean; out: string }) => {
      const link = parseLink(text ?? (await firstLine("the link")))
      const film = await openPost(await fetched(link.address), link)
      const sink = play ? await playerSink() : await fileSink(out)
      try {
        await sink.write(film)
      } finally {
        await sink.close()
      }
    })
}

/** A board is not trusted with our memory. */
async function withinBounds({ body, headers }: Response): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  const check = (size: Bytes) => {
    if (size > POST_BYTES_MAX) throw new Fault("refused", "the board sends more than any post has")
  }
  check(Number(headers.get("content-length")))
  for await (const piece of body ?? []) {
    bytes += piece.length
    check(bytes)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

async function fetched(address: string): Promise<Uint8Array> {
  try {
    const answer = await fetch(address, { redirect: "error", signal: AbortSignal.timeout(seconds(60)) })
    if (answer.status === 404)
      throw new Fault("refused", "there is no such post, or its owner has taken it down")
    if (!answer.ok) throw new Fault("unavailable", `the board answers ${answer.status}`)
    return await withinBounds(answer)
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault(
      "unavailable",
      `${new URL(address).origin}: the board does not answer (${messageOf(cause)})`,
      { cause },
    )
  }
}
