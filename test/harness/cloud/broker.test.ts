import { join } from "node:path"
import { expect, test } from "vitest"
import { deviceTopic, pairingTopic } from "../../../firmware/control/protocol.ts"
import { isFault } from "../../../firmware/errors.ts"
import { startCloud } from "../../../harness/cloud/broker.ts"
import { heartbeatOf } from "./camera.ts"
import { closed, runningCloud } from "./running-cloud.ts"

const running = runningCloud()
const { camera, owner } = running

test("an owner hears and commands the cameras whose heartbeat names it, and no others", async () => {
  const one = await camera()
  const theirs = await owner()
  const stranger = await owner()
  const beat = deviceTopic(one.key.id, "beat")
  await one.say("beat", heartbeatOf(one.key, { owner: theirs.key.id }))
  await theirs.client.subscribeAsync([beat, deviceTopic(one.key.id, "answer")])
  await expect(stranger.client.subscribeAsync(beat)).rejects.toThrow()
  const heard = theirs.next((message) => message.name === "other" && message.topic === beat)
  await one.say("beat", heartbeatOf(one.key, { owner: theirs.key.id, number: 1 }))
  await heard
  const command = one.next((message) => message.name === "other")
  await theirs.client.publishAsync(deviceTopic(one.key.id, "command"), Buffer.from("c"), { qos: 1 })
  expect(await command).toMatchObject({ payload: Buffer.from("c") })
  const ended = closed(stranger)
  stranger.client.publish(deviceTopic(one.key.id, "command"), "c")
  await ended
})

test("an owner stops hearing a camera that names another owner", async () => {
  const one = await camera()
  const former = await owner()
  const latter = await owner()
  const beat = deviceTopic(one.key.id, "beat")
  const first = heartbeatOf(one.key, { owner: former.key.id })
  await one.say("beat", first)
  await former.client.subscribeAsync(beat)
  await one.say("beat", heartbeatOf(one.key, { owner: latter.key.id, number: 1 }))
  await latter.client.subscribeAsync(beat)
  const heard = latter.next(() => true)
  await one.say("beat", heartbeatOf(one.key, { owner: latter.key.id, number: 2 }))
  await heard
  // Heard when it began to listen.
  expect(former.heard).toEqual([{ name: "other", topic: beat, payload: first }])
})

test("whoever knows the rendezvous can pair through it", async () => {
  const one = await camera()
  const two = await owner()
  const topic = pairingTopic("ab".repeat(16), "hello")
  await two.client.subscribeAsync(topic)
  const heard = two.next(() => true)
  await one.client.publishAsync(topic, "hello", { qos: 1 })
  expect(await heard).toMatchObject({ topic, payload: Buffer.from("hello") })
})

test("a taken port, a host off loopback without TLS and a used bucket are one line of advice each", async () => {
  const log = { write: () => undefined }
  const options = {
    directory: join(running.folder, "other"),
    host: "127.0.0.1",
    port: running.cloud.port,
    name: "test",
    keys: running.keys,
    log,
  }
  const cases = [
    [options, /is taken; stop what listens there/],
    [{ ...options, host: "0.0.0.0" }, /plain TCP is for loopback/],
    [{ ...options, directory: join(running.folder, "bucket"), port: 0 }, /another process uses it/],
  ] as const
  for (const [wrong, advice] of cases)
    await expect(startCloud(wrong)).rejects.toSatisfy(
      (error) => isFault(error, "usage") && error.definite && advice.test(error.message),
    )
})
