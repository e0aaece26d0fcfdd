import { once } from "node:events"
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import { createRequire } from "node:module"
import type { S3Place } from "../../../harness/cloud/s3-place.ts"

/** An S3 service that is not ours, and what a test may do to its answers on the way. */
export interface S3Service {
  readonly endpoint: string
  readonly place: S3Place
  /** Asked for each request; null: it goes through. */
  answer: (method: string, path: string) => S3Answer | null
  /** Keys by page of a listing; null: as many as the service gives. */
  pageKeys: number | null
  close(): Promise<void>
}

export type S3Answer =
  | { readonly status: number; readonly code: string }
  | { readonly said: string; readonly headers?: Readonly<Record<string, string>> }
  /** Nothing, for ever. */
  | "silence"
  /** The service's answer, but its second half only when this resolves. */
  | { readonly restAfter: Promise<void> }
  /** The service is asked when this resolves. */
  | Promise<void>

export const BUCKET = "clips"

interface S3rverOptions {
  readonly address: string
  readonly port: number
  readonly silent: boolean
  readonly directory: string
  readonly configureBuckets: readonly { readonly name: string }[]
}
/** s3rver brings no types. */
const S3rver: new (
  options: S3rverOptions,
) => { run(): Promise<{ readonly port: number }>; close(): Promise<void> } = createRequire(import.meta.url)(
  "s3rver",
)

/** The service's data goes into `directory`. This process has credentials for it from now on. */
export async function startS3(directory: string): Promise<S3Service> {
  process.env.AWS_ACCESS_KEY_ID = "S3RVER"
  process.env.AWS_SECRET_ACCESS_KEY = "S3RVER"
  const inner = new S3rver({
    ...{ address: "127.0.0.1", port: 0, silent: true, directory },
    configureBuckets: [{ name: BUCKET }],
  })
  const { port: innerPort } = await inner.run()
  const hanging = new Set<ServerResponse>()
  const outer = createServer(async (asked, answer) => {
    const { method = "", url = "" } = asked
    const scripted = service.answer(method, url)
    if (scripted === "silence") {
      hanging.add(answer)
      return
    }
    if (scripted && "said" in scripted) {
      asked.resume()
      answer.writeHead(200, { "content-type": "application/xml", ...scripted.headers })
      answer.end(scripted.said)
      return
    }
    if (scripted instanceof Promise) await scripted
    else if (scripted && "status" in scripted) {
      asked.resume()
      answer.writeHead(scripted.status, { "content-type": "application/xml" })
      answer.end(`<?xml version="1.0"?><Error><Code>${scripted.code}</Code><Message>no</Message></Error>`)
      return
    }
    const isListing = method === "GET" && url.includes("prefix=")
    const path = isListing && service.pageKeys !== null ? `${url}&max-keys=${service.pageKeys}` : url
    const to = request({ host: "127.0.0.1", port: innerPort, method, path, headers: asked.headers })
    to.on("response", (from) => {
      answer.writeHead(from.statusCode ?? 500, from.headers)
      if (scripted && "restAfter" in scripted) void halve(from, answer, scripted.restAfter)
      else from.pipe(answer)
    })
    to.on("error", () => answer.destroy())
    asked.pipe(to)
  })
  outer.listen(0, "127.0.0.1")
  await once(outer, "listening")
  const address = outer.address()
  const endpoint = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`
  const service: S3Service = {
    endpoint,
    place: { bucket: BUCKET, prefix: "tests/", endpoint },
    answer: () => null,
    pageKeys: null,
    async close() {
      for (const answer of hanging) answer.destroy()
      outer.closeAllConnections()
      outer.close()
      await once(outer, "close")
      await inner.close()
    },
  }
  return service
}

async function halve(from: IncomingMessage, answer: ServerResponse, rest: Promise<void>): Promise<void> {
  const bytes = Buffer.concat(await from.toArray())
  const half = bytes.length / 2
  answer.write(bytes.subarray(0, half))
  await rest
  answer.end(bytes.subarray(half))
}
