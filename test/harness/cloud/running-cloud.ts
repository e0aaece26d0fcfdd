import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { MqttClient } from "mqtt"
import { afterEach, beforeEach } from "vitest"
import { type Cloud, startCloud } from "../../../harness/cloud/broker.ts"
import type { CloudLine } from "../../../harness/cloud/cloud-log.ts"
import { type CloudKeys, openCloudKeys } from "../../../harness/cloud/keys.ts"
import { newKey, TestCamera } from "./camera.ts"

/** A cloud in a folder of its own, and whoever is connected to it. */
export interface RunningCloud {
  readonly folder: string
  readonly keys: CloudKeys
  readonly cloud: Cloud
  /** What it has logged since it started. */
  readonly lines: readonly CloudLine[]
  /** Ends it and starts it on the same bucket. */
  restart(): Promise<void>
  camera(key?: TestCamera["key"]): Promise<TestCamera>
  owner(key?: TestCamera["key"]): Promise<TestCamera>
  viewer(key?: TestCamera["key"]): Promise<TestCamera>
  /** Of an object in the bucket; none if it is not there. */
  bytesOf(id: string): Promise<Buffer>
}

/** For each test of the file that calls this: what it says is of the test that runs. */
export function runningCloud(): RunningCloud {
  let folder: string
  let keys: CloudKeys
  let cloud: Cloud
  let lines: CloudLine[]
  const ends: (() => Promise<void>)[] = []

  async function start(): Promise<Cloud> {
    lines = []
    const log = { write: (line: CloudLine) => void lines.push(line) }
    const directory = join(folder, "bucket")
    return startCloud({ directory, host: "127.0.0.1", port: 0, name: "test", keys, log })
  }

  async function connect(role: "camera" | "owner" | "viewer", key = newKey()): Promise<TestCamera> {
    const one = await TestCamera.connect(cloud.port, key, keys.receipt, { role })
    ends.push(() => one.end())
    return one
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "obscura-cloud-"))
    keys = await openCloudKeys(join(folder, "keys.json"))
    cloud = await start()
  })
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
    await cloud.close()
    await rm(folder, { recursive: true, force: true })
  })

  return {
    get folder() {
      return folder
    },
    get keys() {
      return keys
    },
    get cloud() {
      return cloud
    },
    get lines() {
      return lines
    },
    async restart() {
      await cloud.close()
      cloud = await start()
    },
    camera: (key) => connect("camera", key),
    owner: (key) => connect("owner", key),
    viewer: (key) => connect("viewer", key),
    bytesOf: async (id) => Buffer.from((await cloud.bucket.objectBytes(id)) ?? []),
  }
}

export function closed({ client }: { readonly client: MqttClient }): Promise<void> {
  return new Promise((resolve) => {
    client.once("close", () => resolve())
  })
}
