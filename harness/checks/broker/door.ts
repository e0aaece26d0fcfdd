import { createServer } from "node:tls"
import { connectAsync, type IClientOptions } from "mqtt"
import { deviceTopic } from "../../../firmware/control/protocol.ts"
import { networkDialler } from "../../../hardware/dialler.ts"
import { type Cloud, startCloud } from "../../cloud/broker.ts"
import { selfSigned } from "../../cloud/certificate.ts"
import type { CloudKeys } from "../../cloud/keys.ts"
import { MemoryBucket } from "../../virtual/memory-bucket.ts"
import { type Run, Tries } from "../check.ts"
import { manifestOf, newKey, password, randomObject, TestCamera } from "../worlds/hand-camera.ts"

/** The rules at a broker that runs. */
export const checks = {
  "no-takeover": () =>
    withCloud(async (tries, cloud, keys) => {
      const victim = await TestCamera.connect(cloud.port, newKey(), keys.receipt)
      const thief = newKey()
      let ended = 0
      victim.client.on("close", () => {
        ended++
      })
      const { key } = victim
      const secrets = [
        password(thief, "camera", "test"),
        password(thief, "camera", "test", { client: key.id }),
        password(thief, "camera", "test", { client: key.id, key: key.hex }),
        password(key, "camera", "another broker"),
        password(key, "owner", "test"),
        password(key, "camera", "test", { binding: "00".repeat(32) }),
        Buffer.from("guess"),
      ]
      for (const secret of secrets) {
        const entered = await connects(cloud, { clientId: key.id, username: "camera", password: secret })
        tries.is(entered, false, "a bad password let somebody in")
        tries.is(ended, 0, "times that the victim was disconnected")
      }
      const receipt = ended === 0 ? await victim.upload(manifestOf(key, [randomObject(900)])) : null
      tries.holds(receipt !== null, "the victim's upload")
      await victim.end()
      const client = newKey()
      const wrong = {
        topic: deviceTopic(client.id, "gone"),
        payload: Buffer.from("x"),
        qos: 1 as const,
        retain: false,
      }
      const options = {
        clientId: client.id,
        username: "camera",
        password: password(client, "camera", "test"),
      }
      tries.is(
        await connects(cloud, { ...options, will: wrong }),
        false,
        "a will with content let somebody in",
      )
      tries.is(await connects(cloud, options), true, "the right password without a will")
    }),

  "broker-pinned": async () => {
    const tries = new Tries()
    const certificates = [
      selfSigned({ names: ["localhost"] }),
      selfSigned({ names: ["somewhere.else"], notBefore: "19700101000000Z", notAfter: "19710101000000Z" }),
    ]
    for (const { key, certificate, pin } of certificates) {
      const server = createServer({ key, cert: certificate, minVersion: "TLSv1.3" })
      server.on("tlsClientError", () => undefined)
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const dial = async (wanted: string | null) => {
        const dialled = networkDialler(`mqtts://127.0.0.1:${port}`)
          .dial(wanted, AbortSignal.timeout(5_000))
          .then(({ stream }) => stream.destroy())
        return dialled.then(
          () => true,
          () => false,
        )
      }
      tries.is(await dial(pin), true, "the pinned broker, whatever its certificate's dates and names")
      const other = certificates.find((each) => each.pin !== pin)?.pin ?? ""
      for (const wrong of [other, "ab".repeat(32), null])
        tries.is(await dial(wrong), false, "a broker that was not pinned, dialled")
      await new Promise((resolve) => server.close(resolve))
    }
    return tries
  },

  "bounded-packets": () =>
    withCloud(async (tries, cloud, keys) => {
      const one = await TestCamera.connect(cloud.port, newKey(), keys.receipt)
      const cut = new Promise<boolean>((resolve) => {
        one.client.once("close", () => resolve(true))
        setTimeout(resolve, 1_500, false).unref()
      })
      // PUBLISH of 200 MB, of a client that may stay for as long as its keep-alive.
      one.client.stream.write(Buffer.from([0x32, 0x80, 0x80, 0x80, 0x64, 0]))
      tries.is(await cut, true, "the connection that announced 200 MB was cut")
      await one.end()
    }),
} satisfies Readonly<Record<string, Run>>

async function connects(cloud: Cloud, options: IClientOptions): Promise<boolean> {
  const settings = { ...options, protocolVersion: 4 as const, reconnectPeriod: 0 }
  const client = await connectAsync(`mqtt://127.0.0.1:${cloud.port}`, settings, false).catch(() => null)
  await client?.endAsync(true)
  return client !== null
}

async function withCloud(
  work: (tries: Tries, cloud: Cloud, keys: CloudKeys) => Promise<void>,
): Promise<Tries> {
  const tries = new Tries()
  const keys = { receipt: newKey(), log: newKey() }
  const log = { write: () => undefined }
  const directory = new MemoryBucket({ writeTakes: 1 })
  const cloud = await startCloud({ host: "127.0.0.1", port: 0, name: "test", directory, keys, log })
  try {
    await work(tries, cloud, keys)
    return tries
  } finally {
    await cloud.close()
  }
}
