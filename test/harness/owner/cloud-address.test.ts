import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { seconds } from "../../../firmware/units.ts"
import { openHomeCloud } from "../../../harness/commands/cloud.ts"
import { cloudDialler } from "../../../harness/commands/cloud-address.ts"

let home: string
const cloudFolder = () => join(home, "cloud")
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "obscura-address-"))
})
afterAll(() => rm(home, { recursive: true, force: true }))

const open = (tlsFor?: string) =>
  openHomeCloud(
    cloudFolder(),
    { port: 0, ...(tlsFor === undefined ? {} : { tlsFor }) },
    { write: () => undefined },
  )
const dial = async (pin: string | null) => {
  const dialler = await cloudDialler(home, undefined)
  const { stream } = await dialler.dial(pin, AbortSignal.timeout(seconds(10)))
  stream.destroy()
}

describe("an owner's command that is told no --broker", () => {
  test.each([[undefined], ["cloud.example"]])(
    "finds its household's cloud at whatever port, for the name %s, while it runs",
    async (tlsFor) => {
      const cloud = await open(tlsFor)
      try {
        await dial(cloud.identity.brokerKey)
      } finally {
        await cloud.close()
      }
      await expect(readFile(join(cloudFolder(), "address"))).rejects.toThrow("ENOENT")
    },
  )

  test("goes to the port of old where no cloud has said where it is", async () => {
    const dialler = await cloudDialler(join(home, "nobody"), undefined)
    const dialling = dialler.dial(null, AbortSignal.timeout(seconds(10)))
    const outcome = await dialling.then(({ stream }) => stream.destroy() && "there", String)
    expect(outcome === "there" || outcome.includes("127.0.0.1:1883")).toBe(true)
  })

  test("is told by one line where a cloud could not leave who it is, and that cloud listens no longer", async () => {
    const blocked = join(home, "blocked", "cloud")
    await mkdir(join(blocked, "identity.json"), { recursive: true })
    const opening = openHomeCloud(blocked, { port: 0 }, { write: () => undefined })
    await expect(opening).rejects.toThrow(/\/blocked\/cloud\/identity.json: cannot be written \([^\n]+\)$/)
    await rm(join(blocked, "identity.json"), { recursive: true })
    const lines: unknown[] = []
    await mkdir(join(blocked, "address"))
    const again = await openHomeCloud(blocked, { port: 0 }, { write: (line) => void lines.push(line) })
    expect(lines).toContainEqual(expect.objectContaining({ event: "fault", where: "address" }))
    await rm(join(blocked, "address"), { recursive: true })
    await again.close()
  })

  test.each(["", "elsewhere", "mqtt://cloud.example", "x".repeat(5_000)])(
    "says in one line which file is wrong: %j",
    async (text) => {
      await writeFile(join(cloudFolder(), "address"), text)
      const said = await cloudDialler(home, undefined).catch((error: Error) => error.message)
      expect(said).toMatch(
        /^[^\n]*\/cloud\/address: broker URL: [^\n]*; start the cloud anew, or say --broker$/,
      )
    },
  )
})
