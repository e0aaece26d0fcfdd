import { randomBytes } from "node:crypto"
import { type CameraConfig, parseConfig } from "../../../firmware/config.ts"
import { obey } from "../../../firmware/control/commands.ts"
import { sign } from "../../../firmware/control/dsse.ts"
import { type SigningKey, sha256Hex, signingKeyOf } from "../../../firmware/control/keys.ts"
import { Link } from "../../../firmware/control/link.ts"
import { type Ownership, OwnershipFile, type PairingRecord } from "../../../firmware/control/ownership.ts"
import {
  decodeChunk,
  deviceTopic,
  encodeHave,
  isObjectEntry,
  type Manifest,
  TO_CAMERA,
} from "../../../firmware/control/protocol.ts"
import type { Spool } from "../../../firmware/delivery/spool.ts"
import { deliver } from "../../../firmware/delivery/uploader.ts"
import { seededRandom } from "../../../simulator/random.ts"
import type { BenchCamera } from "./bench-camera.ts"
import { ScriptedBroker } from "./scripted-broker.ts"

/** Parts of the firmware that may be a mutant's. */
export interface Parts {
  readonly deliver?: typeof deliver
  readonly obey?: typeof obey
  readonly OwnershipFile?: typeof OwnershipFile
}

/** A bench camera's spool on its way to a cloud that keeps nothing and signs for all that came. */
export class BenchUpload {
  readonly broker = new ScriptedBroker()
  readonly owner: SigningKey
  readonly config: CameraConfig["link"] = parseConfig({ link: { retryFirst: 1_000, retryMax: 1_000 } }).link
  /** Hashes of manifests that this cloud will not take. */
  readonly refuses = new Set<string>()
  /** Sequences of manifests in the order in which they came, and of those with a receipt. */
  readonly announced: number[] = []
  readonly receipted: number[] = []
  readonly #camera: BenchCamera
  #receiptKey = signingKeyOf(randomBytes(32))
  readonly #stop = new AbortController()
  readonly #waiting = new Map<string, { readonly body: Manifest; readonly left: Map<string, number> }>()
  #running: Promise<unknown> = Promise.resolve()
  #ownership: Ownership | null = null

  constructor(camera: BenchCamera, owner: SigningKey = signingKeyOf(randomBytes(32))) {
    this.#camera = camera
    this.owner = owner
    this.broker.onPublish = (topic, payload) => this.#hear(topic, payload)
  }

  get ownership(): Ownership {
    if (!this.#ownership) throw new Error("not started")
    return this.#ownership
  }

  /** An owner-signed change of recipients. */
  recipients(epoch: number): Uint8Array {
    const keys = [this.#camera.household.recipientText]
    return sign("recipients", { device: this.#camera.identity.device, epoch, keys }, this.owner)
  }

  /** `receiptKey`: what is pinned for receipts, and signs this cloud's own. */
  async start(spool: Spool, parts: Parts = {}, receiptKey = this.#receiptKey): Promise<void> {
    this.#receiptKey = receiptKey
    const { clock, disk, log, identity } = this.#camera
    const file = new (parts.OwnershipFile ?? OwnershipFile)(disk, identity)
    const record: PairingRecord = {
      owner: this.owner.hex,
      broker: { name: "test", pin: null },
      receiptKey: this.#receiptKey.hex,
      logKey: this.#receiptKey.hex,
      recipients: Buffer.from(this.recipients(1)).toString("base64"),
    }
    this.#ownership = await file.pair(record)
    const world = { clock, log, dialler: this.broker.dialler, random: seededRandom(1) }
    const link = new Link(world, this.config, {
      role: "camera",
      key: identity.key,
      broker: this.#ownership.broker,
      subscriptions: TO_CAMERA.map((name) => deviceTopic(identity.device, name)),
    })
    const setOwnership = (changed: Ownership) => {
      this.#ownership = changed
    }
    const own = { ...world, spool, link, identity, file, ownership: () => this.ownership, setOwnership }
    const shared = { ...own, live: NOBODY_LOOKS, privacy: NO_SUCH_COMMAND, tuning: NO_SUCH_COMMAND }
    const { signal } = this.#stop
    this.#running = Promise.all([
      (parts.deliver ?? deliver)(shared, this.config, signal),
      (parts.obey ?? obey)(shared, signal),
      link.run(signal),
    ])
    // A loop that failed is the test's to see when it stops.
    this.#running.catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** Sends the camera a command, as the cloud would carry it. */
  command(envelope: Uint8Array): void {
    this.#say("command", envelope)
  }

  /** What the camera answered, in order. */
  get answers(): { readonly result: string; readonly reason: string }[] {
    return this.broker.published
      .filter(({ topic }) => topic.endsWith("/answer"))
      .map(({ payload }) => bodyOf(payload) as { result: string; reason: string })
  }

  #hear(topic: string, payload: Buffer): void {
    if (topic.endsWith("/manifest")) this.#manifest(payload)
    if (!topic.endsWith("/chunk")) return
    const { id, data } = decodeChunk(payload)
    for (const [hash, { left }] of this.#waiting) {
      if (!left.has(id)) continue
      left.set(id, (left.get(id) ?? 0) - data.length)
      this.#signIfWhole(hash)
    }
  }

  #manifest(payload: Buffer): void {
    const hash = sha256Hex(payload)
    const body = bodyOf(payload) as Manifest
    this.announced.push(body.sequence)
    if (this.refuses.has(hash)) {
      this.#say("have", encodeHave({ manifest: hash, refused: "not today" }))
      return
    }
    const objects = body.entries.filter(isObjectEntry)
    const left = new Map(objects.map(({ id, headerBytes, payloadBytes }) => [id, headerBytes + payloadBytes]))
    this.#waiting.set(hash, { body, left })
    this.#say("have", encodeHave({ manifest: hash, held: objects.map(() => 0) }))
    this.#signIfWhole(hash)
  }

  #signIfWhole(hash: string): void {
    const waiting = this.#waiting.get(hash)
    if (!waiting || [...waiting.left.values()].some((bytes) => bytes > 0)) return
    const { device, sequence, entries } = waiting.body
    const receipt = { device, manifest: hash, from: sequence, to: sequence + entries.length - 1 }
    this.receipted.push(sequence)
    this.#waiting.delete(hash)
    this.#say("receipt", sign("receipt", receipt, this.#receiptKey))
  }

  #say(name: "have" | "receipt" | "command", payload: Uint8Array): void {
    this.broker.say(deviceTopic(this.#camera.identity.device, name), payload)
  }
}

const refused = { ok: false, reason: "not on this bench" }
const NOBODY_LOOKS = {
  ask: async () => undefined,
  report: () => false,
  renew: () => refused,
  revoke: async () => refused,
  endAll: async () => undefined,
  onFailure: () => undefined,
}
const NO_SUCH_COMMAND = { command: async () => refused }

/** What an envelope says; nobody verifies here. */
function bodyOf(envelope: Buffer): unknown {
  return JSON.parse(Buffer.from(JSON.parse(envelope.toString()).payload, "base64").toString())
}
