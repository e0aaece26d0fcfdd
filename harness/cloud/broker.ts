import type { EventEmitter } from "node:events"
import { createServer, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { createServer as createTlsServer } from "node:tls"
import { Aedes, type Client, type PublishPacket } from "aedes"
import {
  deviceTopic,
  PAYLOAD_BYTES_MAX,
  parseTopic,
  type ToCamera,
  type ToOwner,
} from "../../firmware/control/protocol.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { seconds } from "../../firmware/units.ts"
import { mayHear, publishVerdict, type Session, sessionOf, willAllowed } from "./access.ts"
import { boundPackets } from "./bound-packets.ts"
import type { Bucket } from "./bucket.ts"
import { type CloudStats, countRefusal, type DoorRefusal, writeFault } from "./cloud-log.ts"
import { letHeapGrow } from "./collector.ts"
import { type CloudIdentity, identityOf } from "./keys.ts"
import { sayLastBeats } from "./last-beats.ts"
import { bindingOf, isLoopback, listen } from "./listening.ts"
import { NO_SESSIONS } from "./no-sessions.ts"
import { routeUnless } from "./routing.ts"
import { openStore, type Store, type StoreOptions } from "./store.ts"
import { type ShownGrant, ShownGrants } from "./viewers.ts"

export interface CloudOptions extends StoreOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** What cameras sign in their password, so that it is of no use at another broker. */
  readonly name: string
  /** PEM. Without it the cloud listens on loopback alone. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

export interface Cloud {
  readonly port: number
  readonly identity: CloudIdentity
  readonly bucket: Bucket
  readonly stats: CloudStats
  /** Ends every connection, makes durable what is complete, lets the bucket go. */
  close(): Promise<void>
}

/** A whole CONNECT or PUBLISH: the largest payload, its topic and the fixed header. */
const PACKET_BYTES_MAX = PAYLOAD_BYTES_MAX + 200
const CONNECT_WITHIN = seconds(10)
/** A subscriber that takes no byte for this long is cut: one frozen owner must not hold what it holds up. */
const DRAIN_WITHIN = seconds(20)
/** How the cloud speaks. */
const QUIET = { cmd: "publish", qos: 0, retain: false, dup: false } as const
/** What is worth sending when the camera itself is away. */
const FOR_OWNERS_TOO: ReadonlySet<string> = new Set(["receipt", "deleted", "logged"])

/**
 * The smallest cloud: an Aedes broker (MQTT 3.1.1) with the ingest inside its publish authorisation, which is the only
 * step that runs before PUBACK. Manifests and chunks end there; the rest goes on to its subscribers.
 *
 * @throws Fault "usage", definite: the port is taken, a host off loopback without TLS, or the bucket's reasons.
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { host, name, keys, log, tls } = options
  if (tls === undefined && !isLoopback(host))
    throw new Fault(
      "usage",
      `${host}: plain TCP is for loopback; give a TLS key and certificate, or 127.0.0.1`,
    )
  letHeapGrow()
  const door = new Door(options)
  await door.open()
  try {
    const server =
      tls === undefined
        ? createServer({ noDelay: true })
        : createTlsServer({ ...tls, minVersion: "TLSv1.3", noDelay: true })
    server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => door.admit(socket))
    const port = await listen(server, options)
    log.write({ event: "listening", host, port })
    return {
      port,
      identity: identityOf(name, keys, tls?.cert ?? null),
      bucket: door.store.bucket,
      stats: door.store.stats,
      async close() {
        const ended = new Promise<void>((resolve) => server.close(() => resolve()))
        await door.close()
        await ended
        log.write({ event: "closed" })
      },
    }
  } catch (error) {
    await door.close()
    throw error
  }
}

type DoorOptions = Omit<CloudOptions, "host" | "port" | "tls">

/** The cloud without its listening: whatever brings connections admits them here. */
export class Door {
  readonly #options: DoorOptions
  readonly #broker: Aedes
  readonly #sessions = new WeakMap<Client, Session>()
  readonly #cameras = new Map<string, Client>()
  readonly #sockets = new Set<Duplex>()
  /** TLS exporters, taken at the handshake: a socket that has closed since has none to give. */
  readonly #bindings = new WeakMap<object, string>()
  /** Messages that end at the ingest, between their authorisation and where Aedes would route them. */
  readonly #taken = new WeakSet<object>()
  readonly #grants = new ShownGrants()
  #store: Store | null = null

  constructor(options: DoorOptions) {
    this.#options = options
    this.#broker = new Aedes({
      connectTimeout: CONNECT_WITHIN,
      drainTimeout: DRAIN_WITHIN,
      maxTopicLevels: 8,
      persistence: NO_SESSIONS,
      preConnect: (_client, packet, done) => {
        // No session outlives its connection, so nobody can make the broker keep a queue (MQTT 3.1.1 §3.1.2.4).
        packet.clean = true
        if (packet.will === undefined || willAllowed(packet.clientId, packet.will)) return done(null, true)
        this.#refused(packet.clientId, "not a contentless will")
        done(new Error("not a contentless will"), false)
      },
      authenticate: (client, user, password, done) => {
        const session = sessionOf(
          { client: client.id, user, password },
          options.name,
          this.#bindings.get(client.conn) ?? null,
        )
        if (session !== null) this.#sessions.set(client, session)
        else this.#refused(client.id, "bad credentials")
        done(null, session !== null)
      },
      authorizeSubscribe: (client, subscription, done) => {
        const session = this.#sessions.get(client)
        done(
          null,
          session && mayHear(session, subscription.topic, this.store.beats.owns) ? subscription : null,
        )
      },
      authorizeForward: (client, packet) => {
        const session = this.#sessions.get(client)
        if (session?.role === "camera") return packet
        return session && mayHear(session, packet.topic, this.store.beats.owns) ? packet : null
      },
      authorizePublish: (client, packet, done) => {
        const say = (reason: DoorRefusal | null) => done(reason === null ? null : new Error(reason))
        const reason = this.#publish(client, packet)
        if (reason instanceof Promise) void reason.then(say)
        else say(reason)
      },
    })
    routeUnless(this.#broker, (packet) => this.#taken.has(packet))
  }

  get store(): Store {
    if (this.#store === null) throw new Fault("broken", "the cloud is not open")
    return this.#store
  }

  async open(): Promise<void> {
    const keyOf = (device: string) => {
      const client = this.#cameras.get(device)
      return (client && this.#sessions.get(client)?.key) ?? null
    }
    this.#store = await openStore(this.#options, keyOf, (device, name, payload) =>
      this.#send(device, name, payload),
    )
    await this.#broker.listen()
    const { log } = this.#options
    const { stats, ingest } = this.#store
    this.#broker.on("client", (client) => {
      const session = this.#sessions.get(client)
      if (session === undefined) return
      stats.connects++
      if (session.role === "camera") this.#cameras.set(client.id, client)
      log.write({ event: "connected", client: client.id, role: session.role })
    })
    this.#broker.on("clientDisconnect", (client) => {
      log.write({ event: "disconnected", client: client.id })
      if (this.#cameras.get(client.id) !== client) return
      this.#cameras.delete(client.id)
      ingest.take(client.id, "gone", Buffer.alloc(0))
    })
    this.#broker.on("subscribe", (subscriptions, client) =>
      sayLastBeats(this.store.beats, subscriptions, client, log),
    )
    // An event that Aedes' typings leave out.
    const broker: EventEmitter = this.#broker
    broker.on("error", (error: Error) =>
      log.write({ event: "fault", where: "broker", kind: "unknown", reason: messageOf(error) }),
    )
  }

  admit(socket: Duplex): void {
    this.#sockets.add(socket)
    socket.once("close", () => this.#sockets.delete(socket))
    const binding = bindingOf(socket)
    if (binding !== null) this.#bindings.set(socket, binding)
    boundPackets(this.#broker.handle(socket), PACKET_BYTES_MAX)
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#broker.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await this.#store?.close()
  }

  /** Null: taken or carried on. Otherwise why this connection must end. At once, but for what is recorded before. */
  #publish(client: Client | null, packet: PublishPacket): DoorRefusal | null | Promise<DoorRefusal | null> {
    const session = client === null ? undefined : this.#sessions.get(client)
    if (client === null || session === undefined) return "bad credentials"
    const { topic, retain, qos, payload } = packet
    if (typeof payload === "string") return "foreign topic"
    const publication = { topic, bytes: payload.length, retain, qos }
    const { owns } = this.store.beats
    let shown: ShownGrant | "before" | null = null
    const verdict = publishVerdict(session, publication, owns, (device) => {
      shown = this.#grants.shows(client, session.key.id, device, payload, owns)
      return shown !== null
    })
    if (verdict.to === "subscribers") return this.#carried(client, session, packet, shown)
    if (verdict.to === "nobody") {
      this.#refused(client.id, verdict.reason)
      this.#noteRefusal(session, topic, verdict.reason)
      return verdict.reason
    }
    if (verdict.to === "deletion desk") {
      const refused = this.store.deletions.take(verdict.device, payload)
      if (refused !== null) this.#noteRefusal(session, topic, refused)
      this.#taken.add(packet)
      return null
    }
    if (verdict.to === "log desk") {
      const refused = this.store.logDesk.take(verdict.device, payload)
      if (refused !== null) this.#noteRefusal(session, topic, refused)
      this.#taken.add(packet)
      return null
    }
    const { device, name } = verdict
    const refused = this.store.ingest.take(device, name, payload)
    const forOwners = refused === null && (name === "beat" || name === "answer")
    if (!forOwners) this.#taken.add(packet)
    return null
  }

  /** What leaves a record leaves it before it is carried on. */
  #carried(
    client: Client,
    { key }: Session,
    { topic, payload }: PublishPacket,
    shown: ShownGrant | "before" | null,
  ): DoorRefusal | null | Promise<DoorRefusal | null> {
    if (!this.store.records || typeof payload === "string") return null
    const refused = this.store.records.carry(key, topic, payload, shown)
    const tell = (reason: "not logged" | null) => {
      if (reason !== null) this.#refused(client.id, reason)
      return reason
    }
    return refused instanceof Promise ? refused.then(tell) : tell(refused)
  }

  #noteRefusal(session: Session, topic: string, reason: string): void {
    const parsed = parseTopic(topic)
    if (parsed !== null && "device" in parsed)
      this.store.records?.refused(session, parsed.device, parsed.name, reason)
  }

  /** Quality 0: a lost answer is a time-out at the camera, which asks again; a PUBACK each would buy nothing. */
  #send(device: string, name: ToCamera | ToOwner, payload: Uint8Array): void {
    if (!this.#cameras.has(device) && !FOR_OWNERS_TOO.has(name)) return
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
    this.#broker.publish({ ...QUIET, topic: deviceTopic(device, name), payload: bytes }, (error) => {
      if (error) writeFault(this.#options.log, name, error)
    })
  }

  #refused(client: string, reason: DoorRefusal): void {
    const { stats } = this.store
    countRefusal(stats, reason)
    if (reason === "bad credentials" || reason === "not a contentless will") stats.failedConnects++
    this.#options.log.write({ event: "door refused", client: client.slice(0, 40), reason })
  }
}
