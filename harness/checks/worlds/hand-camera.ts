import { randomBytes } from "node:crypto"
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt"
import { sign, verify } from "../../../firmware/control/dsse.ts"
import { type PublicKey, type SigningKey, sha256Hex, signingKeyOf } from "../../../firmware/control/keys.ts"
import {
  CHUNK_DATA_BYTES_MAX,
  CHUNK_HEADER_BYTES,
  type Connect,
  chunkFrame,
  decodeHave,
  deviceTopic,
  type Entry,
  type FromCamera,
  type Have,
  type Heartbeat,
  type Manifest,
  NO_MANIFEST,
  type ObjectEntry,
  type Receipt,
  type Role,
  receiptShape,
} from "../../../firmware/control/protocol.ts"

/** A camera's hand on the wire, one message at a time, so that a test can also say wrong things. */

export interface TestObject {
  readonly entry: ObjectEntry
  readonly bytes: Buffer
}

export interface TestManifest {
  readonly envelope: Buffer
  readonly hash: string
  readonly body: Manifest
  readonly objects: readonly TestObject[]
}

export function newKey(): SigningKey {
  return signingKeyOf(randomBytes(32))
}

export function password(key: SigningKey, role: Role, broker: string, over: Partial<Connect> = {}): Buffer {
  return Buffer.from(
    sign("connect", { role, broker, client: key.id, key: key.hex, binding: null, ...over }, key),
  )
}

export function randomObject(size: number, over: Partial<ObjectEntry> = {}): TestObject {
  const bytes = randomBytes(size)
  const headerBytes = Math.min(200, size - 32)
  const id = (): string => randomBytes(16).toString("hex")
  return {
    bytes,
    entry: {
      id: id(),
      kind: "segment",
      clip: id(),
      index: 0,
      last: true,
      headerBytes,
      payloadBytes: size - headerBytes,
      headerHash: sha256Hex(bytes.subarray(0, headerBytes)),
      payloadHash: sha256Hex(bytes.subarray(headerBytes)),
      commit: "ab".repeat(32),
      ...over,
    },
  }
}

export function manifestOf(
  key: SigningKey,
  objects: readonly TestObject[],
  over: Partial<Manifest> = {},
): TestManifest {
  const entries: Entry[] = objects.map(({ entry }) => entry)
  const body: Manifest = {
    device: key.id,
    sequence: 0,
    previous: NO_MANIFEST,
    epoch: 1,
    recipients: "cd".repeat(32),
    entries,
    ...over,
  }
  const envelope = Buffer.from(sign("manifest", body, key))
  return { envelope, hash: sha256Hex(envelope), body, objects }
}

export function heartbeatOf(key: SigningKey, over: Partial<Heartbeat> = {}): Buffer {
  const body: Heartbeat = {
    device: key.id,
    key: key.hex,
    boot: "11".repeat(16),
    number: 0,
    nonce: "33".repeat(16),
    newest: -1,
    head: NO_MANIFEST,
    epoch: 1,
    recipients: "cd".repeat(32),
    owner: "22".repeat(20),
    spoolBytes: 0,
    viewers: 0,
    privacy: null,
    temperatureCelsius: null,
    undervoltage: null,
    throttled: null,
    ...over,
  }
  return Buffer.from(sign("heartbeat", body, key))
}

export function chunksOf({ entry, bytes }: TestObject, from = 0, size = CHUNK_DATA_BYTES_MAX): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = from; at < bytes.length; at += size) {
    const data = bytes.subarray(at, at + size)
    const frame = chunkFrame(entry.id, at, data.length)
    data.copy(frame, CHUNK_HEADER_BYTES)
    chunks.push(frame)
  }
  return chunks
}

export type Heard =
  | { readonly name: "have"; readonly have: Have }
  | { readonly name: "receipt"; readonly receipt: Receipt }
  | { readonly name: "other"; readonly topic: string; readonly payload: Buffer }

/** What came down, in order; `next` waits for one that fits. */
export class TestCamera {
  readonly key: SigningKey
  readonly client: MqttClient
  readonly heard: Heard[] = []
  readonly #receiptKey: PublicKey
  readonly #waiting: {
    readonly fits: (heard: Heard) => boolean
    readonly resolve: (heard: Heard) => void
  }[] = []

  constructor(key: SigningKey, client: MqttClient, receiptKey: PublicKey) {
    this.key = key
    this.client = client
    this.#receiptKey = receiptKey
    client.on("error", () => undefined)
    client.on("message", (topic, payload) => this.#hear(topic, payload))
  }

  static async connect(
    port: number,
    key: SigningKey,
    receiptKey: PublicKey,
    options: IClientOptions & { broker?: string; role?: Role } = {},
  ): Promise<TestCamera> {
    const { broker = "test", role = "camera", ...rest } = options
    const client = await connectAsync(
      `mqtt://127.0.0.1:${port}`,
      {
        protocolVersion: 4,
        reconnectPeriod: 0,
        clientId: key.id,
        username: role,
        password: password(key, role, broker),
        ...rest,
      },
      false,
    )
    const camera = new TestCamera(key, client, receiptKey)
    if (role === "camera")
      await client.subscribeAsync(
        ["have", "receipt", "head", "command"].map((name) => `obscura/1/${key.id}/${name}`),
        { qos: 1 },
      )
    return camera
  }

  async say(name: FromCamera, payload: Uint8Array): Promise<void> {
    await this.client.publishAsync(deviceTopic(this.key.id, name), Buffer.from(payload), { qos: 1 })
  }

  /** Manifest, then every chunk, then the receipt. */
  async upload(manifest: TestManifest): Promise<Receipt> {
    const receipt = this.receiptOf(manifest)
    await this.say("manifest", manifest.envelope)
    for (const object of manifest.objects)
      for (const chunk of chunksOf(object)) await this.say("chunk", chunk)
    return receipt
  }

  async receiptOf({ hash }: TestManifest): Promise<Receipt> {
    const heard = await this.next((one) => one.name === "receipt" && one.receipt.manifest === hash)
    if (heard.name !== "receipt") throw new Error("not a receipt")
    return heard.receipt
  }

  async nextHave(): Promise<Have> {
    const heard = await this.next((one) => one.name === "have")
    if (heard.name !== "have") throw new Error("not a have")
    return heard.have
  }

  /** The next message, heard from now on, that fits. */
  next(fits: (heard: Heard) => boolean): Promise<Heard> {
    return new Promise((resolve) => {
      this.#waiting.push({ fits, resolve })
    })
  }

  async end(): Promise<void> {
    await this.client.endAsync(true)
  }

  #hear(topic: string, payload: Buffer): void {
    const heard = this.#read(topic, payload)
    this.heard.push(heard)
    const index = this.#waiting.findIndex(({ fits }) => fits(heard))
    if (index >= 0) this.#waiting.splice(index, 1)[0]?.resolve(heard)
  }

  #read(topic: string, payload: Buffer): Heard {
    if (topic.endsWith("/have")) return { name: "have", have: decodeHave(payload) }
    if (topic.endsWith("/receipt"))
      return { name: "receipt", receipt: verify("receipt", payload, this.#receiptKey, receiptShape) }
    return { name: "other", topic, payload }
  }
}
