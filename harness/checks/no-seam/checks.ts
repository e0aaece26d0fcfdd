import "../../virtual/install.ts"

import { type CameraConfigInput, parseConfig } from "../../../firmware/config.ts"
import { minutes, seconds } from "../../../firmware/units.ts"
import { makeBundle } from "../../../hardware/flash/bundle.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { memoryCloud } from "../../virtual/memory-cloud.ts"
import { openVirtualCamera } from "../../virtual/virtual-camera.ts"
import { type Run, Tries } from "../check.ts"
import { tapped } from "../worlds/tapped.ts"

export const checks = {
  "sealed-on-the-wire": async () => {
    const tries = new Tries()
    for (let seed = 1; seed <= 4; seed++) {
      const { cloud, wire } = tapped(await memoryCloud())
      const camera = await openVirtualCamera({ config: configOf(seed), cloud })
      await camera.walkBy(seconds(4))
      await camera.advance(minutes(1))
      const plain = plainOf(camera.household.shot.canary)
      tries.holds(wire.bytes.length > 100_000, "hardly anything was on the wire")
      const disk: Buffer[] = []
      for (const area of [camera.board.disk, camera.board.disk.private])
        for (const { name } of await area.list("")) disk.push(Buffer.from((await area.get(name)) ?? []))
      const log = Buffer.from(JSON.stringify(camera.lines))
      for (const [where, bytes] of [
        ["the wire", wire.bytes],
        ["the disk", Buffer.concat(disk)],
        ["the log", log],
      ] as const)
        for (const [what, needle] of plain)
          tries.is(bytes.includes(needle), false, `${what} in plain on ${where}`)
      let objects = 0
      for (const device of cloud.bucket.devices())
        for (const { id } of cloud.bucket.objectsOf(device)) {
          const bytes = await cloud.bucket.objectBytes(id)
          const isAge = Buffer.from(bytes ?? []).toString("latin1", 0, 22) === "age-encryption.org/v1\n"
          tries.holds(isAge, "an object that is no age file")
          objects++
        }
      // Nothing that is no age file need have been taken in: a cloud looks at hashes.
      tries.holds(objects > 0 || wire.bytes.length > 0, "nothing was tried")
      await camera.close()
      await cloud.close()
    }
    return tries
  },

  "no-plain-option": async () => {
    const tries = new Tries()
    const words = [
      { sealing: "off" },
      { plain: true },
      { recording: { plain: true } },
      { padding: "none" },
      { lens: { unsealed: true } },
      { spool: { encrypt: false } },
      { link: { url: "http://example.org" } },
      { recipients: ["age1"] },
      { light: false },
      { pins: { light: null } },
      { debug: true },
      { unsafe: true },
    ]
    for (const word of words)
      await tries.refused(() => parseConfig(word), `a configuration of ${Object.keys(word)}`)
    tries.is(typeof parseConfig({}).padding, "string", "a configuration of nothing")
    return tries
  },

  "ships-alone": async () => {
    const tries = new Tries()
    const { inputs } = await makeBundle()
    for (const path of inputs.filter((each) => !/(?:^|\/)node_modules\/|^unused:/.test(each)))
      tries.holds(/^(?:firmware|hardware)\/(?!flash\/|emulation\/)/.test(path), `${path} ships`)
    for (const path of ["harness/unsafe/plain-camera.ts", "harness/cli.ts", "simulator/board.ts"]) {
      const contents = `import "./hardware/dialler.ts"\nimport "./${path}"`
      await tries.refused(() => makeBundle({ contents }), `a program that imports ${path}`)
    }
    return tries
  },
} satisfies Readonly<Record<string, Run>>

/** Anything that a configuration may be. */
function configOf(seed: number): CameraConfigInput {
  const random = seededRandom(seed)
  const from = <T>(...choices: readonly [T, ...T[]]): T =>
    choices[Math.floor(random.next() * choices.length)] ?? choices[0]
  return {
    padding: from("floor", "economy"),
    recording: {
      preRoll: from(0, 1_000, 3_000),
      postRoll: from(0, 1_000, 5_000),
      segmentMin: from(200, 1_000, 4_000),
      clipMax: from(2_000, 60_000),
      verdictWithin: from(0, 1_000, 5_000),
    },
    spool: {
      bytesMax: from(256 * 1_024, 2 ** 29),
      whenFull: from("drop-oldest", "refuse-newest"),
      keepReceivedBytes: from(0, 2 ** 26),
    },
    link: { heartbeatEvery: from(1_000, 30_000), resendAfter: from(1_000, 15_000) },
  }
}

/** What would show that a picture is there as it is: long enough that sealed bytes hold none of it by chance. */
function plainOf(canary: string): readonly (readonly [string, Buffer])[] {
  return [
    ["what the lens shows", Buffer.from(canary)],
    ["what the lens shows, in base64,", Buffer.from(Buffer.from(canary).toString("base64").slice(4, 16))],
    ["what the lens shows, in hex,", Buffer.from(Buffer.from(canary).toString("hex"))],
    ["the beginning of a film", Buffer.from("ftypiso")],
  ]
}
