import { createHash } from "node:crypto"
import { connect as connectTcp, isIP, type Socket } from "node:net"
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls"
import { Fault, messageOf } from "../firmware/errors.ts"
import type { Connection, Dialler } from "../firmware/ports.ts"

export interface NetworkOptions {
  /** Who may vouch for a broker that is not pinned, PEM; absent: the platform's list. */
  readonly ca?: string | Buffer
  /** For a broker that asks for a client certificate, PEM. */
  readonly client?: { readonly certificate: string | Buffer; readonly key: string | Buffer }
}

/**
 * Dials the broker at `url`: `mqtts://host[:8883]` over TLS 1.3, or `mqtt://host[:1883]` over plain TCP, which is for
 * this machine alone.
 *
 * A pinned broker is the one whose key has the pin's hash, and nothing else counts: not the certificate's dates, for a
 * camera without a clock must still connect, and not who signed it. Without a pin the certificate must hold.
 *
 * @throws Fault "usage", definite: no such URL, or plain TCP to another machine.
 */
export function networkDialler(url: string, options: NetworkOptions = {}): Dialler {
  const { host, port, tls } = parseBrokerUrl(url)
  return {
    dial: (pin, signal) =>
      tls ? dialTls({ host, port }, pin, options, signal) : dialTcp({ host, port }, pin, signal),
  }
}

interface Address {
  readonly host: string
  readonly port: number
}

function parseBrokerUrl(text: string): Address & { readonly tls: boolean } {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url?.hostname || (url.protocol !== "mqtt:" && url.protocol !== "mqtts:"))
    throw new Fault("usage", "broker URL: it looks like mqtts://host:8883")
  if (url.username || url.password)
    throw new Fault("usage", "broker URL: no user and password, a camera proves itself with its key")
  const tls = url.protocol === "mqtts:"
  const host = url.hostname.replace(/^\[|\]$/g, "")
  if (!tls && !isLoopback(host))
    throw new Fault("usage", `broker URL: plain mqtt:// is for this machine alone; use mqtts://${url.host}`)
  return { host, port: Number(url.port) || (tls ? 8883 : 1883), tls }
}

/** Does `host` mean this machine, whatever a name server says? */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."))
}

async function dialTcp(address: Address, pin: string | null, signal: AbortSignal): Promise<Connection> {
  if (pin !== null) throw new Fault("refused", "dial: plain TCP cannot prove the broker of the pairing")
  const stream = await connected(connectTcp(address), "connect", address, signal)
  return { stream, binding: null }
}

async function dialTls(
  address: Address,
  pin: string | null,
  { ca, client }: NetworkOptions,
  signal: AbortSignal,
): Promise<Connection> {
  const options: ConnectionOptions = {
    ...address,
    // A server name is never an address (RFC 6066 §3).
    servername: isIP(address.host) ? "" : address.host,
    minVersion: "TLSv1.3",
    rejectUnauthorized: pin === null,
    ...(ca === undefined ? {} : { ca }),
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
  }
  const stream = await connected(connectTls(options), "secureConnect", address, signal)
  // It may have hung up with its last word of the handshake: then there is no key to see and nothing to bind to.
  if (stream.destroyed) throw new Fault("unavailable", `dial: ${nameOf(address)}: ${REASONS.ECONNRESET}`)
  if (pin !== null && spkiHash(stream) !== pin.toLowerCase()) {
    stream.destroy()
    throw new Fault("refused", `dial: ${nameOf(address)} is not the broker of the pairing: its key differs`)
  }
  return { stream, binding: stream.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0)) }
}

/** Resolves at `event`; on an error or an abort nothing stays open. */
function connected<S extends Socket>(
  socket: S,
  event: "connect" | "secureConnect",
  address: Address,
  signal: AbortSignal,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      socket.off(event, succeed).off("error", fail)
      signal.removeEventListener("abort", giveUp)
    }
    const succeed = () => {
      settle()
      socket.setNoDelay(true)
      resolve(socket)
    }
    const fail = (cause: Error) => {
      settle()
      socket.destroy()
      reject(faultOf(cause, address))
    }
    const giveUp = () => fail(new Error("given up"))
    socket.once(event, succeed).once("error", fail)
    if (signal.aborted) giveUp()
    else signal.addEventListener("abort", giveUp)
  })
}

/** SHA-256 (hex) of the peer's SubjectPublicKeyInfo (RFC 5280 §4.1.2.7); null without a certificate. */
function spkiHash(socket: TLSSocket): string | null {
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" })
  return key ? createHash("sha256").update(key).digest("hex") : null
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: is the broker running?",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name server does not answer",
  EHOSTUNREACH: "no route to it",
  ENETUNREACH: "no network",
  ETIMEDOUT: "no answer",
  ECONNRESET: "it hung up",
}

/** What OpenSSL and node call a certificate that does not hold (`tls`, "X509 certificate error codes"). */
const CERTIFICATE = /CERT|ISSUER|LEAF_SIGNATURE|CA_|CRL|HOSTNAME|PURPOSE|CHAIN/

function faultOf(cause: Error, address: Address): Fault {
  const code = "code" in cause ? String(cause.code) : ""
  if (CERTIFICATE.test(code))
    return new Fault(
      "refused",
      `dial: the certificate of ${nameOf(address)} does not hold: ${cause.message}`,
      {
        cause,
      },
    )
  const reason = REASONS[code] ?? messageOf(cause).split("\n")[0]
  return new Fault("unavailable", `dial: ${nameOf(address)}: ${reason}`, { cause })
}

function nameOf({ host, port }: Address): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}
