import { verifySelfSigned } from "../../firmware/control/dsse.ts"
import { type PublicKey, publicKeyFromHex } from "../../firmware/control/keys.ts"
import {
  connectShape,
  FROM_CAMERA,
  type FromCamera,
  PAIRING_BYTES_MAX,
  PAYLOAD_BYTES_MAX,
  parseTopic,
  type Role,
  TO_CAMERA,
} from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"
import type { DoorRefusal } from "./cloud-log.ts"

/** Who may connect, and who may say and hear what. No input or output: each rule is a question with an answer. */

export interface Session {
  readonly role: Role
  readonly key: PublicKey
}

/** By the device's last verified heartbeat. */
export type Owns = (owner: string, device: string) => boolean

const CREDENTIAL_BYTES_MAX = 2_000

/**
 * The session of MQTT CONNECT's fields (MQTT 3.1.1 §3.1.3), null if the password does not prove that this client holds
 * the key it names, for this broker, on this connection. `binding` is the TLS exporter in hex, null on plain TCP.
 */
export function sessionOf(
  connect: {
    readonly client: string
    readonly user: string | undefined
    readonly password: Uint8Array | undefined
  },
  broker: string,
  binding: string | null,
): Session | null {
  const { client, user, password } = connect
  if (password === undefined || password.length > CREDENTIAL_BYTES_MAX) return null
  try {
    const { body, key } = verifySelfSigned("connect", password, connectShape, (named) =>
      publicKeyFromHex(named.key),
    )
    const holds =
      body.client === client &&
      key.id === client &&
      body.role === user &&
      body.broker === broker &&
      body.binding === binding
    return holds ? { role: body.role, key } : null
  } catch (error) {
    if (isFault(error)) return null
    throw error
  }
}

/** A camera's will is its empty "gone", of nobody else and not retained; owners have none. */
export function willAllowed(
  client: string,
  will: { readonly topic: string; readonly payload: Uint8Array | string; readonly retain?: boolean },
): boolean {
  const topic = parseTopic(will.topic)
  return (
    topic !== null &&
    "device" in topic &&
    topic.device === client &&
    topic.name === "gone" &&
    will.payload.length === 0 &&
    will.retain !== true
  )
}

export interface Publication {
  readonly topic: string
  readonly bytes: Bytes
  readonly retain: boolean
  readonly qos: number
}

export type PublishVerdict =
  | { readonly to: "ingest"; readonly device: string; readonly name: FromCamera }
  | { readonly to: "deletion desk"; readonly device: string }
  | { readonly to: "log desk"; readonly device: string }
  | { readonly to: "subscribers" }
  | { readonly to: "nobody"; readonly reason: DoorRefusal }

/** Has this viewer shown a grant of that camera's owner, now or before on this connection? */
export type Shows = (device: string) => boolean

/** What becomes of a message of `session`. */
export function publishVerdict(
  session: Session,
  { topic, bytes, retain, qos }: Publication,
  owns: Owns,
  shows: Shows = () => false,
): PublishVerdict {
  if (retain) return { to: "nobody", reason: "retained" }
  if (qos > 1) return { to: "nobody", reason: "quality of service 2" }
  if (bytes > PAYLOAD_BYTES_MAX) return { to: "nobody", reason: "oversize" }
  const parsed = parseTopic(topic)
  if (parsed === null) return { to: "nobody", reason: "foreign topic" }
  // This bounds what strangers can push through each other's mailboxes.
  if ("rendezvous" in parsed)
    return bytes > PAIRING_BYTES_MAX ? { to: "nobody", reason: "oversize" } : { to: "subscribers" }
  const { device, name } = parsed
  if (name === "live")
    return session.role === "camera" && device === session.key.id
      ? { to: "subscribers" }
      : { to: "nobody", reason: "foreign topic" }
  if (session.role === "camera" && device === session.key.id && isFromCamera(name))
    return { to: "ingest", device, name }
  if (session.role === "owner" && name === "command" && owns(session.key.id, device))
    return { to: "subscribers" }
  if (session.role === "owner" && name === "delete" && owns(session.key.id, device))
    return { to: "deletion desk", device }
  if (session.role === "owner" && name === "log" && owns(session.key.id, device))
    return { to: "log desk", device }
  // Of a view, whoever is not the owner shows the owner's grant: strangers do not reach a camera at all.
  if (session.role !== "camera" && name === "view" && (owns(session.key.id, device) || shows(device)))
    return { to: "subscribers" }
  return { to: "nobody", reason: "foreign topic" }
}

const CAMERA_HEARS: ReadonlySet<string> = new Set(TO_CAMERA)
const OWNER_HEARS = new Set(["answer", "beat", "receipt", "deleted", "logged"])

/** Asked when a client subscribes, and for owners again at each message, for a camera may have found a new owner. */
export function mayHear(session: Session, filter: string, owns: Owns): boolean {
  const topic = parseTopic(filter)
  if (topic === null) return false
  if ("rendezvous" in topic) return true
  if (topic.name === "live") return session.role !== "camera" && topic.viewer === session.key.id
  if (session.role === "camera") return topic.device === session.key.id && CAMERA_HEARS.has(topic.name)
  return session.role === "owner" && OWNER_HEARS.has(topic.name) && owns(session.key.id, topic.device)
}

function isFromCamera(name: string): name is FromCamera {
  return (FROM_CAMERA as readonly string[]).includes(name)
}
