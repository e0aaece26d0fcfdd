import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, describe, expect, test } from "vitest"
import { signingKeyOf } from "../../../../firmware/control/keys.ts"
import { isFault } from "../../../../firmware/errors.ts"
import { signCheckpoint } from "../../../../harness/cloud/log/checkpoint.ts"
import { encodeCheckpointMessage } from "../../../../harness/cloud/log/checkpoint-message.ts"
import { leafHash, nodeHash } from "../../../../harness/cloud/log/merkle.ts"
import { Witness } from "../../../../harness/cloud/log/witness.ts"
import { mutant } from "../../../mutants.ts"
import { Folders, LOG, LOG_KEY } from "./logs.ts"

const folders = new Folders()
afterEach(() => folders.remove())

const identity = { name: "witness.example", key: signingKeyOf(Buffer.alloc(32, 5)) }
const leaf = (n: number) => leafHash(Buffer.from([n]))
const one = { size: 1, root: leaf(1) }
const two = { size: 2, root: nodeHash(leaf(1), leaf(2)) }

/** `head` as the log signs it, with a proof from `old` entries on. */
const message = (head: { size: number; root: Uint8Array }, old: number, proof: Uint8Array[], key = LOG_KEY) =>
  encodeCheckpointMessage({ old, proof, note: signCheckpoint({ origin: LOG.origin, ...head }, key) })

async function make(kind = Witness): Promise<{ witness: Witness; again: () => Witness }> {
  const directory = await folders.make()
  await mkdir(join(directory, "logs"), { recursive: true })
  return { witness: new kind(directory, identity), again: () => new kind(directory, identity) }
}

const refused = (kind: "tampered" | "refused" | "malformed") =>
  expect.toSatisfy((error) => isFault(error, kind))

describe("a witness", () => {
  test("signs what continues, the same again, and remembers it over a restart", async () => {
    const { witness, again } = await make()
    await witness.cosign(message(one, 0, []), LOG, 1)
    await again().cosign(message(two, 1, [leaf(2)]), LOG, 2)
    await again().cosign(message(two, 2, []), LOG, 3)
    expect((await again().seen(LOG.origin)).size).toBe(2)
  })

  test("signs no fork, no rollback, no other proof, and nothing that the log did not sign", async () => {
    const { witness } = await make()
    await witness.cosign(message(two, 0, []), LOG, 1)
    const three = { size: 3, root: nodeHash(two.root, leaf(3)) }
    const other = { size: 2, root: nodeHash(leaf(7), leaf(2)) }
    const cases = [
      [message(other, 2, []), "tampered"],
      [message({ size: 3, root: nodeHash(other.root, leaf(3)) }, 2, [leaf(3)]), "tampered"],
      [message(one, 0, []), "tampered"],
      [message(three, 0, []), "refused"],
      [message(three, 1, [leaf(2), leaf(3)]), "refused"],
      [message(three, 2, [leaf(3)], signingKeyOf(Buffer.alloc(32, 6))), "tampered"],
      [Buffer.from("old 2\n"), "malformed"],
    ] as const
    for (const [bytes, kind] of cases)
      await expect(witness.cosign(bytes, LOG, 2)).rejects.toEqual(refused(kind))
    await witness.cosign(message(three, 2, [leaf(3)]), LOG, 3)
  })

  test("holds to the key that it saw first", async () => {
    const { witness } = await make()
    await witness.cosign(message(one, 0, []), LOG, 1)
    const key = signingKeyOf(Buffer.alloc(32, 6))
    await expect(witness.cosign(message(one, 1, [], key), { ...LOG, key }, 2)).rejects.toEqual(
      refused("refused"),
    )
  })

  test("refuses any bytes, and does not fall over them", async () => {
    const { witness } = await make()
    const good = Buffer.from(message(two, 0, []))
    const changed = fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, bits]) => {
      const bytes = Buffer.from(good)
      bytes[at] = (bytes[at] ?? 0) ^ bits
      return bytes
    })
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array(), changed), async (bytes) => {
        await expect(witness.cosign(bytes, LOG, 1)).rejects.toSatisfy((error) => isFault(error))
      }),
    )
    expect((await witness.seen(LOG.origin)).size).toBe(0)
  })

  test("that did not check the proof would sign a fork", async () => {
    const path = "harness/cloud/log/witness.ts"
    const mistake = {
      path,
      from: "if (!provesConsistency(before, { size, root }, proof))",
      to: "if (proof.length > 63)",
    }
    const unsafe = await mutant<typeof import("../../../../harness/cloud/log/witness.ts")>(path, mistake)
    const { witness } = await make(unsafe.Witness)
    await witness.cosign(message(two, 0, []), LOG, 1)
    const fork = { size: 3, root: nodeHash(nodeHash(leaf(7), leaf(2)), leaf(3)) }
    await expect(witness.cosign(message(fork, 2, [leaf(3)]), LOG, 2)).resolves.toBeDefined()
  })
})
