import type { FileHandle } from "node:fs/promises"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { pipeline } from "node:stream/promises"
import { Fault, messageOf } from "../../../firmware/errors.ts"
import { seconds } from "../../../firmware/units.ts"
import type { Board } from "./board.ts"
import { type PostPage, postPage } from "./page/post-page.ts"

export interface BoardServer {
  readonly port: number
  close(): Promise<void>
}

const VISITORS_MAX = 256
const QUIET = {
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
}

/**
 * The board over HTTP, on this machine: put TLS in front of it for anybody else. `/p/<object>` is the page, the same for
 * every id; `/o/<object>` the sealed object, or 404 alike for what never was, is over, or was taken down. Nothing else
 * answers, and nothing is written down of who asks. `onFault` hears of what went wrong here, and of nobody who asked.
 * @throws Fault "usage", definite: the port is taken.
 */
export async function serveBoard(
  board: Pick<Board, "opened">,
  port: number,
  onFault: (error: unknown) => void = () => undefined,
): Promise<BoardServer> {
  const page = await postPage()
  const server = createServer({ requestTimeout: seconds(30) }, (request, response) => {
    answer(request, response, board, page).catch((error: unknown) => {
      onFault(error)
      if (!response.headersSent) response.writeHead(500, QUIET)
      response.destroy()
    })
  })
  server.maxConnections = VISITORS_MAX
  // Of whoever takes nothing.
  server.setTimeout(seconds(30))
  const bound = await listen(server, port)
  return {
    port: bound,
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function answer(
  { method, url = "" }: IncomingMessage,
  response: ServerResponse,
  board: Pick<Board, "opened">,
  { html, policy }: PostPage,
): Promise<void> {
  const [, kind, object = ""] = /^\/([po])\/([0-9a-f]{32})$/.exec(url) ?? []
  if (method !== "GET" && method !== "HEAD") return end(response, 405, {})
  if (kind === "p")
    return end(
      response,
      200,
      { "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
      html,
    )
  const file = kind === "o" ? await board.opened(object) : null
  if (file === null) return end(response, 404, {})
  try {
    await stream(file, response, method === "HEAD")
  } finally {
    await file.close()
  }
}

/** Piece by piece: however many take it, and however slowly, it is never here as a whole. */
async function stream(file: FileHandle, response: ServerResponse, headOnly: boolean): Promise<void> {
  const { size } = await file.stat()
  const type = { "content-type": "application/octet-stream" }
  response.writeHead(200, { ...QUIET, ...type, "content-length": size })
  if (headOnly) return void response.end()
  const pieces = file.createReadStream({ autoClose: false })
  await pipeline(pieces, response).catch((error: unknown) => {
    // Whoever asks may leave.
    if (!response.destroyed) throw error
  })
}

function end(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array = "",
): void {
  response.writeHead(status, { ...QUIET, ...headers, "content-length": Buffer.byteLength(body) })
  response.end(body)
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new Fault("usage", `port ${port}: cannot be used (${messageOf(cause)}); choose another`, { cause }),
      ),
    )
    server.listen(port, "127.0.0.1", () => resolve())
  })
  const address = server.address()
  return address !== null && typeof address === "object" ? address.port : port
}
