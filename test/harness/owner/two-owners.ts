import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connectAsync } from "mqtt"
import type { SigningKey } from "../../../firmware/control/keys.ts"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import type { Cloud } from "../../../harness/cloud/broker.ts"
import { CLOUD_NAME } from "../../../harness/cloud/keys.ts"
import { openHomeCloud } from "../../../harness/commands/cloud.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import type { OwnerKeys } from "../../../harness/owner/keys.ts"
import { LogMemory } from "../../../harness/owner/log-memory.ts"
import { heartbeatOf, newKey, password } from "../cloud/camera.ts"

/** An owner with one camera, which only beats, at a cloud that others use too. */
export interface Owner {
  /** For --home: the folder of the first has the cloud, the others only its identity. */
  readonly home: string
  readonly keys: OwnerKeys
  readonly camera: SigningKey
  readonly folder: OwnerFolder
}

export interface TwoOwners {
  readonly folder: string
  readonly cloud: Cloud
  readonly url: string
  readonly one: Owner
  readonly other: Owner
  close(): Promise<void>
}

export async function twoOwners(): Promise<TwoOwners> {
  const folder = await mkdtemp(join(tmpdir(), "obscura-owners-"))
  const homes = [join(folder, "one"), join(folder, "other")] as const
  const cloud = await openHomeCloud(join(homes[0], "cloud"), { port: 0 }, { write: () => undefined })
  const one = await ownerAt(homes[0], cloud)
  const other = await ownerAt(homes[1], cloud)
  return {
    ...{ folder, cloud, one, other, url: `mqtt://127.0.0.1:${cloud.port}` },
    async close() {
      await cloud.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function ownerAt(home: string, cloud: Cloud): Promise<Owner> {
  const directory = join(home, "owner")
  const folder = new OwnerFolder(directory)
  const keys = await folder.create("x25519", null)
  const camera = newKey()
  await folder.addCamera(camera)
  await new LogMemory(directory).pin(camera.id, cloud.identity)
  await mkdir(join(home, "cloud"), { recursive: true })
  await writeFile(join(home, "cloud", "identity.json"), `${JSON.stringify(cloud.identity)}\n`)
  const client = await connectAsync(`mqtt://127.0.0.1:${cloud.port}`, {
    ...{ protocolVersion: 4, reconnectPeriod: 0, clientId: camera.id, username: "camera" },
    password: password(camera, "camera", CLOUD_NAME),
  })
  const recipients = sha256Hex(keys.recipientsFor(camera.id, 1))
  const beat = heartbeatOf(camera, { owner: keys.signingKeyFor(camera.id).id, recipients })
  await client.publishAsync(`obscura/1/${camera.id}/beat`, beat, { qos: 1 })
  await client.endAsync()
  return { home, keys, camera, folder }
}
