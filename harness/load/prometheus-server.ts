import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { PROMETHEUS_TYPE } from "./prometheus.ts"

const HOST = "127.0.0.1"

export interface MetricsPage {
  /** What to give to Prometheus, or a browser. */
  readonly url: string
  readonly port: number
  /** Ends connections too. Twice is as good as once. */
  close(): Promise<void>
}

/**
 * Serves `text()` as /metrics of this machine, to this machine alone.
 *
 * @param port 0: any that is free.
 * @throws Fault "usage": it is taken, or may not be listened on.
 */
export async function servePrometheus(port: number, text: () => string): Promise<MetricsPage> {
  const server = createServer((request, response) => answer(request, response, text))
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(refusal(port, cause)))
    server.listen(port, HOST, resolve)
  })
  const address = server.address()
  const listening = typeof address === "object" && address !== null ? address.port : port
  let closed: Promise<void> | null = null
  return {
    url: `http://${HOST}:${listening}/metrics`,
    port: listening,
    close: () => {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      return closed
    },
  }
}

function answer(request: IncomingMessage, response: ServerResponse, text: () => string): void {
  request.resume()
  const say = (status: number, body: string, type = "text/plain; charset=utf-8") =>
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body)
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD")
    say(405, "only read\n")
    return
  }
  if (request.url?.split("?")[0] !== "/metrics") {
    say(404, "the metrics are at /metrics\n")
    return
  }
  try {
    say(200, text(), PROMETHEUS_TYPE)
  } catch (error) {
    // A page that cannot be drawn is no reason to end the run that it is about.
    say(500, `${messageOf(error).split("\n")[0]}\n`)
  }
}

function refusal(port: number, cause: NodeJS.ErrnoException): Fault {
  const why =
    cause.code === "EADDRINUSE"
      ? "is taken; stop what listens there or choose another --prometheus port"
      : `cannot be listened on (${cause.code ?? messageOf(cause)}); choose another --prometheus port`
  return new Fault("usage", `${HOST}:${port} ${why}`, { cause })
}
