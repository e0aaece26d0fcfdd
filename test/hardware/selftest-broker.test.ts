import { generate } from "mqtt-packet"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { Fault } from "../../firmware/errors.ts"
import type { Dialler } from "../../firmware/ports.ts"
import { memoryDialler } from "../../simulator/dialler.ts"
import { ScriptedBroker } from "../scripted-broker.ts"
import { check, fakeTime, finding, goodWorld, pair } from "./selftest-world.ts"

beforeEach(fakeTime)
afterEach(() => void vi.useRealTimers())

describe("a broker", () => {
  const at = (dialler: ScriptedBroker["dialler"]) => ({ broker: { host: "broker.example", dialler } })

  test("that is none in the settings is skipped", async () => {
    expect(await finding(check("broker"), await goodWorld({ broker: null }))).toMatchObject({
      verdict: "skipped",
    })
  })

  test("of a paired camera must have the key of the pairing", async () => {
    const mine = "ab".repeat(32)
    for (const [proven, verdict] of [
      [mine, "pass"],
      ["cd".repeat(32), "fail"],
    ] as const) {
      const scripted = new ScriptedBroker()
      const world = await goodWorld(at(provenBy(proven, scripted)))
      await pair(world, mine)
      expect((await finding(check("broker"), world)).verdict).toBe(verdict)
    }
  })

  test("that lets this camera in passes; one that does not, or says nothing, fails", async () => {
    const world = await goodWorld()
    await pair(world, null)
    expect(await finding(check("broker"), world)).toMatchObject({
      verdict: "pass",
      why: expect.stringMatching(/lets this camera in/),
    })
    const no = generate({ cmd: "connack", returnCode: 5, sessionPresent: false })
    const refusing = memoryDialler({
      accept: (stream) => stream.on("error", () => undefined).once("data", () => stream.write(no)),
    })
    expect(await finding(check("broker"), { ...world, ...at(refusing) })).toMatchObject({
      verdict: "fail",
      why: expect.stringMatching(/not authorized/i),
    })
    const silent = memoryDialler({ accept: () => undefined })
    expect(await finding(check("broker"), { ...world, ...at(silent) })).toMatchObject({ verdict: "fail" })
  })

  test("that only pairing can vouch for is neither good nor bad before", async () => {
    const dial = async () => {
      throw new Fault("refused", "dial: the certificate of broker.example does not hold: self-signed")
    }
    expect(await finding(check("broker"), await goodWorld(at({ dial })))).toMatchObject({
      verdict: "skipped",
    })
  })

  test("makes a board without a key no key", async () => {
    const world = await goodWorld({ keyFile: async () => null })
    await world.memory.private.remove("identity")
    await finding(check("broker"), world)
    await finding(check("key"), world)
    expect(await world.memory.private.list("")).toEqual([])
  })
})

/** `broker`, with a key whose hash is `proven`. */
function provenBy(proven: string, { dialler }: ScriptedBroker): Dialler {
  return {
    async dial(pin, signal) {
      if (pin !== proven)
        throw new Fault("refused", "dial: it is not the broker of the pairing: its key differs")
      return dialler.dial(null, signal)
    },
  }
}
