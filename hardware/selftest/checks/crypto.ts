import { generateKeyPairSync, randomBytes } from "node:crypto"
import { bech32 } from "@scure/base"
import { floorAndSteps, nominalSegmentBytes } from "../../../firmware/delivery/padding.ts"
import { parseRecipient, type Recipient } from "../../../firmware/delivery/recipient.ts"
import { sealFor } from "../../../firmware/delivery/sealer.ts"
import { Fault } from "../../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { type Check, type Finding, judged } from "../check.ts"

const ROUNDS = 64
/** A board so slow that it takes longer is slow enough to tell. */
const LONGEST: Milliseconds = seconds(5)
/** Sealing then takes a quarter of a core at most: the rest is for pictures and network. */
const STREAMS_MIN = 4

/** How fast the firmware's own sealer is on one core: segments of the configured size, for a household made up for it. */
export const crypto: Check = {
  name: "crypto",
  mandatory: true,
  async run({ world }): Promise<Finding> {
    const { clock, config } = world
    const { segmentMin } = config.recording
    const nominal = nominalSegmentBytes({ ...config.lens, segmentMin })
    const bytes = randomBytes(floorAndSteps(nominal)(nominal))
    const recipient = madeUpHousehold()
    const seal = sealFor(() => ({ epoch: 1, hash: "0".repeat(64), recipient }))
    const segment = { kind: "segment", clip: "0".repeat(32), last: true } as const
    await seal({ ...segment, index: 0, bytes })
    const begunAt = clock.monotonic()
    let rounds = 0
    while (rounds < ROUNDS && clock.monotonic() - begunAt < LONGEST)
      await seal({ ...segment, index: rounds++, bytes })
    const took = Math.max(0.001, clock.monotonic() - begunAt)
    const megabytesPerSecond = (rounds * bytes.length) / 1e3 / took
    const streams = Math.floor((rounds * (nominal / (config.lens.bitsPerSecond / 8_000))) / took)
    const is = `${megabytesPerSecond.toFixed(0)} MB/s sealed: one core carries ${streams} such streams`
    return judged(
      [streams < STREAMS_MIN ? `${is}, ${STREAMS_MIN} are needed: is the board hot or busy?` : null],
      is,
      { megabytesPerSecond: Math.round(megabytesPerSecond * 10) / 10, streams, segmentBytes: bytes.length },
      { streamsMin: STREAMS_MIN },
    )
  },
}

/** The secret half is nowhere: what is sealed here nobody opens. */
function madeUpHousehold(): Recipient {
  const { x } = generateKeyPairSync("x25519").publicKey.export({ format: "jwk" })
  if (x === undefined) throw new Fault("broken", "an X25519 key without its half")
  return parseRecipient(bech32.encode("age", bech32.toWords(Buffer.from(x, "base64url")), false))
}
