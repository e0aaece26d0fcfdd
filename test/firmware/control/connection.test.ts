import { expect, test } from "vitest"
import { openMqtt } from "../../../firmware/control/connection.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { mutant } from "../../mutants.ts"
import { ScriptedBroker } from "../../scripted-broker.ts"

async function connected(broker: ScriptedBroker, open: typeof openMqtt = openMqtt) {
  const signal = new AbortController().signal
  return open(await broker.dialler.dial(null, signal), virtualClock(), {
    ...{ clientId: "camera", username: "camera", password: Buffer.from("password"), subscriptions: [] },
    ...{ keepAlive: 60_000, connectWithin: 5_000, willTopic: null, onMessage: () => undefined, signal },
  })
}

/** What became of a message that was published when its connection had just ended. */
async function publishedTooLate(open: typeof openMqtt): Promise<unknown> {
  const broker = new ScriptedBroker()
  const connection = await connected(broker, open)
  broker.cut()
  await connection.ended
  const unanswered = new Promise((resolve) => setTimeout(resolve, 200, "never answered"))
  const error = connection.publish("obscura/1/x/chunk", Buffer.alloc(9)).catch((fault: unknown) => fault)
  return Promise.race([error, unanswered])
}

test("a message in flight when its connection ends may have arrived", async () => {
  const broker = new ScriptedBroker()
  broker.acknowledges = false
  const connection = await connected(broker)
  const publishing = connection.publish("obscura/1/x/chunk", Buffer.alloc(9))
  broker.onPublish = () => broker.cut()
  await expect(publishing).rejects.toMatchObject({ kind: "unavailable", definite: false })
})

test("a message that comes too late for its connection is refused, and kept for no other", async () => {
  expect(await publishedTooLate(openMqtt)).toMatchObject({ kind: "unavailable", definite: true })
  const path = "firmware/control/connection.ts"
  const { openMqtt: bent } = await mutant<{ openMqtt: typeof openMqtt }>(path, {
    path,
    from: "if (closed) return reject",
    to: "if (false) return reject",
  })
  expect(await publishedTooLate(bent)).toBe("never answered")
})
