import fc from "fast-check"
import { expect, test } from "vitest"
import {
  CHUNK_DATA_BYTES_MAX,
  chunkFrame,
  decodeChunk,
  decodeHave,
  deviceTopic,
  encodeHave,
  FROM_CAMERA,
  liveTopic,
  PAIRING,
  PAYLOAD_BYTES_MAX,
  pairingTopic,
  parseTopic,
  TO_CAMERA,
} from "../../../firmware/control/protocol.ts"
import { isFault } from "../../../firmware/errors.ts"

const device = "ab".repeat(20)
const rendezvous = "cd".repeat(16)

test("every topic reads back as what it was made from", () => {
  for (const name of [...FROM_CAMERA, ...TO_CAMERA])
    expect(parseTopic(deviceTopic(device, name))).toEqual({ device, name })
  expect(parseTopic(liveTopic(device, "ef".repeat(20)))).toEqual({
    device,
    name: "live",
    viewer: "ef".repeat(20),
  })
  for (const name of PAIRING) expect(parseTopic(pairingTopic(rendezvous, name))).toEqual({ rendezvous, name })
})

test.each([
  "#",
  "obscura/1/+/chunk",
  `obscura/1/${device}/#`,
  `obscura/1/${device}/chunk/more`,
  `obscura/1/${device.toUpperCase()}/chunk`,
  `obscura/1/${device}/unknown`,
  `obscura/1/${device}/live`,
  `obscura/1/${device}/live/+`,
  `obscura/1/${device}/live/${"ef".repeat(20)}/more`,
  `obscura/2/${device}/chunk`,
  `obscura/1/pair/${device}/hello`,
  `$share/x/obscura/1/${device}/chunk`,
  `obscura/1/${device}/chunk\n`,
  "",
])("no other topic is one of ours: %j", (topic) => {
  expect(parseTopic(topic)).toBeNull()
})

test("a chunk reads back, and the largest one fits the largest payload", () => {
  const frame = chunkFrame(rendezvous, 4_000_000_000, CHUNK_DATA_BYTES_MAX)
  frame.fill(7, 21)
  expect(frame.length).toBe(PAYLOAD_BYTES_MAX)
  const chunk = decodeChunk(frame)
  expect([chunk.id, chunk.offset, chunk.data.length, chunk.data[0]]).toEqual([
    rendezvous,
    4_000_000_000,
    CHUNK_DATA_BYTES_MAX,
    7,
  ])
})

test("whatever comes as a chunk or a have is read or refused, never a crash", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      for (const decode of [() => decodeChunk(Buffer.from(bytes)), () => decodeHave(bytes)])
        try {
          decode()
        } catch (error) {
          if (!isFault(error, "malformed")) return false
        }
      return true
    }),
  )
})

test("the three kinds of have read back", () => {
  const manifest = "ef".repeat(32)
  for (const have of [
    { manifest, held: [0, 64_979] },
    { unknown: rendezvous },
    { manifest, refused: "out of space" },
  ])
    expect(decodeHave(encodeHave(have))).toEqual(have)
})
