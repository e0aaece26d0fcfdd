import { generate } from "mqtt-packet"
import { describe, expect, test } from "vitest"
import { publishHead, subscribePacket } from "../../../firmware/control/packets.ts"

describe("what comes before a payload", () => {
  test("is PUBLISH at QoS 1 as the standard writes it", () => {
    expect(publishHead("a/b", 10, 3).toString("hex")).toBe("320a0003612f62000a")
  })

  test("counts topic, identifier and payload, seven bits a byte", () => {
    const lengthOf = (payloadBytes: number) =>
      publishHead("t", 0xffff, payloadBytes).subarray(1, -5).toString("hex")
    const sizes = [0, 122, 123, 16_378, 16_379, 2_097_146, 2_097_147]
    expect(sizes.map(lengthOf)).toEqual(["05", "7f", "8001", "ff7f", "808001", "ffff7f", "80808001"])
  })
})

describe("a subscription", () => {
  test.each([1, 4, 300])("to %i topics is what mqtt-packet would write", (count) => {
    const topics = Array.from({ length: count }, (_, index) => `obscura/1/${index}/have`)
    const subscriptions = topics.map((topic) => ({ topic, qos: 1 as const }))
    expect(subscribePacket(topics, 513)).toEqual(
      generate({ cmd: "subscribe", messageId: 513, subscriptions }),
    )
  })
})
