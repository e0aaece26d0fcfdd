import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { SigningKey } from "../../../../firmware/control/keys.ts"
import { deviceTopic } from "../../../../firmware/control/protocol.ts"
import { Fault } from "../../../../firmware/errors.ts"
import { startCloud } from "../../../../harness/cloud/broker.ts"
import type { CloudLine } from "../../../../harness/cloud/cloud-log.ts"
import { openCloudKeys } from "../../../../harness/cloud/keys.ts"
import type { AccessLog } from "../../../../harness/cloud/log/access-log.ts"
import { folderSource } from "../../../../harness/cloud/log/log-source.ts"
import type { AccessRecord } from "../../../../harness/cloud/log/records.ts"
import { grantFor } from "../../../../harness/owner/grants.ts"
import { LiveLook } from "../../../../harness/owner/live-look.ts"
import { type LogView, readLog } from "../../../../harness/owner/log.ts"
import { heartbeatOf, newKey, TestCamera } from "../camera.ts"
import { LOG, openLog } from "./logs.ts"

/** A broker with an access log, one camera that its owner has, and whoever else connects. */
export interface LoggedCloud {
  readonly directory: string
  readonly camera: TestCamera
  readonly owner: SigningKey
  readonly lines: readonly CloudLine[]
  readonly port: number
  /** From now on the log's disk takes nothing, or again takes it. */
  fill(isFull: boolean): void
  join(role: "owner" | "viewer", key: SigningKey): Promise<TestCamera>
  /** What the owner is shown, all of it published. */
  look(): Promise<LogView>
  records(): Promise<readonly AccessRecord[]>
  /** A guest's ask, with a grant of `by`. */
  ask(
    guest: SigningKey,
    reason?: string,
    by?: SigningKey,
  ): { readonly grant: Uint8Array; readonly ask: Buffer }
  readonly view: string
  close(): Promise<void>
}

export async function loggedCloud(start: typeof startCloud = startCloud): Promise<LoggedCloud> {
  const folder = await mkdtemp(join(tmpdir(), "obscura-logged-"))
  const directory = join(folder, "log")
  const lines: CloudLine[] = []
  const keys = await openCloudKeys(join(folder, "keys.json"))
  const log = await openLog(directory)
  let isFull = false
  const cloud = await start({
    ...{ directory: join(folder, "bucket"), host: "127.0.0.1", port: 0, name: "test", keys },
    log: { write: (line) => void lines.push(line) },
    accessLog: onDisk(log, () => isFull),
  })
  const people: TestCamera[] = []
  const connect = async (role: "camera" | "owner" | "viewer", key: SigningKey) => {
    const one = await TestCamera.connect(cloud.port, key, keys.receipt, { role })
    people.push(one)
    return one
  }
  const owner = newKey()
  const camera = await connect("camera", newKey())
  const device = camera.key.id
  await camera.say("beat", heartbeatOf(camera.key, { owner: owner.id }))
  await camera.client.subscribeAsync(deviceTopic(device, "view"), { qos: 1 })
  const look = async () => {
    await log.publish()
    return readLog(folderSource(directory), { log: LOG, devices: [device], before: null, traces: [], now: 0 })
  }
  return {
    ...{ directory, camera, owner, lines, look, port: cloud.port, join: connect },
    fill: (full) => {
      isFull = full
    },
    records: async () => (await look()).records.get(device) ?? [],
    ask(guest, reason = "the gate", by = owner) {
      const beat = { boot: "11".repeat(16), number: 0, nonce: "33".repeat(16) }
      const grant = grantFor({ device, receiver: guest, reason, beat }, by)
      return { grant, ask: Buffer.from(new LiveLook(camera.key, guest, grant).ask) }
    },
    view: deviceTopic(device, "view"),
    async close() {
      for (const one of people) await one.end()
      await cloud.close()
      await log.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** `log` on a disk that may be full. */
function onDisk(log: AccessLog, isFull: () => boolean) {
  return {
    append: (record: AccessRecord) =>
      isFull() ? Promise.reject(new Fault("full", "no room")) : log.append(record),
    mailbox: (device: string) => log.mailbox(device),
    publish: () => log.publish(),
    directory: log.directory,
    get isAble() {
      return !isFull() && log.isAble
    },
  }
}
