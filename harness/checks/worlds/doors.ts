import { identityToRecipient } from "age-encryption"
import { obey } from "../../../firmware/control/commands.ts"
import type { SignedKind } from "../../../firmware/control/dsse.ts"
import { checkAsk } from "../../../firmware/control/grant.ts"
import { toJson } from "../../../firmware/control/json.ts"
import { OwnershipFile } from "../../../firmware/control/ownership.ts"
import { Privacy } from "../../../firmware/control/privacy.ts"
import { deviceTopic } from "../../../firmware/control/protocol.ts"
import { Tuning } from "../../../firmware/control/tuning.ts"
import { sealAge } from "../../../firmware/delivery/age.ts"
import { Chain } from "../../../firmware/delivery/manifest.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { isFault } from "../../../firmware/errors.ts"
import { LiveView } from "../../../firmware/live/live-view.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { MemoryDisk } from "../../../simulator/disk.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { sessionOf } from "../../cloud/access.ts"
import { noStats } from "../../cloud/cloud-log.ts"
import { DeletionDesk } from "../../cloud/deletion.ts"
import { holdsGrant, readGrant } from "../../cloud/viewers.ts"
import { readChain } from "../../owner/chain-view.ts"
import { deleteQuestion } from "../../owner/deletion.ts"
import { HeardBeats } from "../../owner/heard-beats.ts"
import { beatOf } from "../../owner/household-check.ts"
import { openBook } from "../../owner/household-file.ts"
import { openCheckpointFrom } from "../../owner/log-sealed.ts"
import { readReceipt } from "../../owner/receipts.ts"
import { NOTHING_SEEN, readTail } from "../../owner/tail.ts"
import { readConsent, readWithdrawal } from "../../services/labelling/consent.ts"
import { readPost, readUnpost } from "../../services/neighbours/post.ts"
import { readLookRequest } from "../../services/support/request.ts"
import { CloudDoor } from "./cloud-door.ts"
import { BOOK, type Kinds } from "./kinds.ts"

/** Somebody who takes messages of one kind, as they do in what ships. */
export interface Door {
  readonly name: string
  readonly kind: SignedKind
  /** False: it looks at a part alone, and knows who speaks from elsewhere. */
  readonly isThorough: boolean
  /** Was it taken? A fault is a refusal; anything else that is thrown is a crash. */
  takes(envelope: Buffer): Promise<boolean>
}

type Takes = (envelope: Buffer) => unknown

export async function everyDoor({
  key,
  keys,
  beats,
  look,
  shown,
  messages,
}: Kinds): Promise<readonly Door[]> {
  const device = key.id
  const owns = (owner: string, of: string) => owner === device && of === device
  const identity = { device, key, boot: "11".repeat(16), markKey: "22".repeat(32) }
  const camera = await commandable(key, identity, beats)
  const chain = { objects: [], drops: [], cuts: [], alerts: [], newest: -1, links: [], epochs: [], looks: [] }
  const bookRecipient = parseRecipient(await identityToRecipient(keys.bookSecret))
  const household = parseRecipient(keys.householdRecipient)
  const deletions = () =>
    new DeletionDesk({
      ...{ bucket: { remove: () => new Promise(() => undefined) }, beats: { owns }, receiptKey: key },
      ...{ stats: noStats(), log: { write: () => undefined }, send: () => undefined },
    } as unknown as ConstructorParameters<typeof DeletionDesk>[0])
  const cloud = () => CloudDoor.open(undefined, key)

  const doors: readonly (readonly [SignedKind, string, Takes])[] = [
    [
      "connect",
      "broker",
      (bytes) => sessionOf({ client: device, user: "camera", password: bytes }, "here", null),
    ],
    ["manifest", "cloud", async (bytes) => (await cloud()).take("manifest", bytes) === null],
    ["manifest", "owner's vault", (bytes) => readChain([bytes], key).links.length === 1],
    ["manifest", "camera that lost its spool", (bytes) => new Chain(identity).read(bytes)],
    ["heartbeat", "cloud", async (bytes) => (await cloud()).take("beat", bytes) === null],
    ["heartbeat", "owner who looks", (bytes) => readTail(chain, bytes, key, NOTHING_SEEN, 1).seen.beat],
    [
      "heartbeat",
      "owner who listens",
      (bytes) => new HeardBeats(key).hear(deviceTopic(device, "beat"), bytes),
    ],
    ["heartbeat", "owner who confirms", (bytes) => beatOf(bytes, key)],
    ["answer", "cloud", async (bytes) => (await cloud()).take("answer", bytes) === null],
    [
      "answer",
      "viewer",
      (bytes) => typeof look.hearAnswer(bytes) === "object" && look.hearAnswer(bytes) !== null,
    ],
    ["receipt", "owner", (bytes) => readReceipt(bytes, device, key)],
    ["grant", "cloud", (bytes) => readGrant(bytes, device, owns)],
    ["ask", "cloud", (bytes) => holdsGrant(bytes, device, device, owns)],
    ["ask", "camera", (bytes) => checkAsk(bytes, { device, owner: key, beats }).ok],
    ["live", "viewer", (bytes) => shown.hearAnswer(bytes) === "live"],
    ["delete", "cloud", (bytes) => deletions().take(device, bytes) === null],
    ["deleted", "owner", (bytes) => deleteQuestion(device, messages.delete, key).read(bytes)],
    [
      "household",
      "owner",
      async (bytes) => {
        const plain = {
          statement: bytes.toString("base64"),
          book: Buffer.from(toJson(BOOK)).toString("base64"),
        }
        const { header, payload } = await sealAge(toJson(plain), bookRecipient)
        return openBook(Buffer.concat([header, ...payload]), keys)
      },
    ],
    [
      "checkpoint",
      "another owner",
      async (bytes) => {
        const { header, payload } = await sealAge(bytes, household)
        return openCheckpointFrom(key, Buffer.concat([header, ...payload]), keys.identity, () => true)
      },
    ],
    ["consent", "labelling service", readConsent],
    ["withdrawal", "labelling service", readWithdrawal],
    ["post", "board", readPost],
    ["unpost", "board", readUnpost],
    ["staff-request", "owner", readLookRequest],
    ...(["recipients", "resend", "renewal", "revocation", "privacy", "tuning"] as const).map(
      (kind): readonly [SignedKind, string, Takes] => [
        kind,
        "camera",
        async (bytes) => (await camera(bytes)) === kind,
      ],
    ),
  ]
  return doors.map(([kind, name, takes]) => ({
    kind,
    // Of an ask a cloud reads the grant: the connection has proved whose it is, and the camera asks again.
    isThorough: !(kind === "ask" && name === "cloud"),
    name: `${name} (${kind})`,
    takes: async (envelope) => {
      try {
        return Boolean(await takes(envelope))
      } catch (error) {
        if (isFault(error) && error.kind !== "broken") return false
        throw error
      }
    },
  }))
}

/** A camera's ear for commands. Says as which kind it has done what it was told; null: refused. */
async function commandable(
  owner: Kinds["key"],
  identity: {
    readonly device: string
    readonly key: Kinds["key"]
    readonly boot: string
    readonly markKey: string
  },
  beats: Kinds["beats"],
): Promise<(envelope: Buffer) => Promise<string | null>> {
  const clock = virtualClock()
  const { device, key } = identity
  const recipients = { epoch: 1, hash: "ab".repeat(32), recipient: { text: "" } }
  const ownership = () => ({ owner, receiptKey: key, logKey: key, recipients }) as never
  return async (envelope) => {
    const disk = new MemoryDisk({ clock, random: seededRandom(1) })
    const stop = new AbortController()
    let listener: (topic: string, payload: Buffer) => void = () => undefined
    let done: string | null = null
    const live = new LiveView({ identity, ownership, beats, clock, disk } as never)
    const privacy = new Privacy({ device, ownership, beats, disk, clock })
    const parts = {
      ...{ identity, ownership, setOwnership: () => undefined, file: new OwnershipFile(disk, identity) },
      ...{ live, privacy, tuning: new Tuning({ device, ownership, disk }) },
      spool: { resend: async () => ({ here: 1, gone: 0 }), adopt: async () => null },
      log: {
        write: (line: { event: string; kind?: string; result?: string }) => {
          if (line.event === "command" && line.result === "done") done = line.kind ?? null
        },
      },
      link: {
        onMessage: (each: typeof listener) => {
          listener = each
        },
        publish: async () => stop.abort(),
      },
    }
    const running = obey(parts as never, stop.signal)
    listener(deviceTopic(device, "command"), envelope)
    // Whatever it does with a message that is too long, it does not answer it.
    if (envelope.length > 60_000) stop.abort()
    await running
    return done
  }
}
