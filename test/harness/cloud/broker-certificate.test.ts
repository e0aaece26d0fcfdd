import { mkdtemp, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { networkDialler } from "../../../hardware/dialler.ts"
import { openHomeCloud } from "../../../harness/commands/cloud.ts"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-broker-"))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const open = (tlsFor: string) => openHomeCloud(folder, { port: 0, tlsFor }, { write: () => undefined })

test("a cloud for other machines speaks TLS with a key that it keeps: who pinned it gets in, after a restart and by any name", async () => {
  const first = await open("cloud.local")
  const pin = first.identity.brokerKey
  expect(pin).toMatch(/^[0-9a-f]{64}$/)
  await first.close()
  const again = await open("192.168.1.10")
  expect(again.identity.brokerKey).toBe(pin)
  const dialler = networkDialler(`mqtts://127.0.0.1:${again.port}`)
  const { signal } = new AbortController()
  const { stream, binding } = await dialler.dial(pin, signal)
  expect(binding).toHaveLength(32)
  stream.destroy()
  await expect(dialler.dial("00".repeat(32), signal)).rejects.toThrow("not the broker of the pairing")
  await again.close()
  expect((await stat(join(folder, "broker.json"))).mode & 0o777).toBe(0o600)
})

test.each([["garbage"], ["{}"], ['{"cert":"x"}']])(
  "a broker's key file that holds %s is named, with what to do",
  async (content) => {
    await writeFile(join(folder, "broker.json"), content)
    await expect(open("cloud.local")).rejects.toEqual(expect.objectContaining({ kind: "usage" }))
    await expect(open("cloud.local")).rejects.toThrow(/broker\.json: .*pair anew/)
  },
)
