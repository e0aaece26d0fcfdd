import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { bundle, type Pi } from "./pi-camera.ts"
import { home } from "./pi-home.ts"

let program: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => {
  program = await bundle()
})
afterAll(() => program.remove())

interface Mishap {
  readonly words?: readonly string[]
  readonly prepare: (pi: Pi) => Promise<unknown>
  readonly code: number
  readonly says: RegExp
}

const MISHAPS: Readonly<Record<string, Mishap>> = {
  "settings that are no JSON": {
    prepare: (pi) => writeFile(pi.paths.settings, "{"),
    code: 2,
    says: /camera\.json: .*JSON/,
  },
  "a setting that nobody knows": {
    prepare: (pi) => pi.settle({ colour: "red" }),
    code: 2,
    says: /camera\.json: .*colour/,
  },
  "pins that clash": {
    prepare: (pi) => pi.settle({ camera: { pins: { motion: 27 } } }),
    code: 2,
    says: /motion and bell are both GPIO 27/,
  },
  "a broker that is not ours to talk to in the clear": {
    prepare: (pi) => pi.settle({ broker: "mqtt://example.com" }),
    code: 2,
    says: /use mqtts:\/\/example\.com/,
  },
  "no owner, and no broker to find one by": {
    prepare: (pi) => pi.settle({ broker: undefined }),
    code: 2,
    says: /names no broker to find one by: add "broker"/,
  },
  "a board that obscura does not know": {
    prepare: (pi) => pi.settle({ gpio: {} }),
    code: 2,
    says: /gpio\.chipLabel: .*gpiodetect/,
  },
  "a state directory that cannot be made": {
    prepare: async (pi) => writeFile(pi.paths.state, "in the way"),
    code: 2,
    says: /something that is no folder is in the way/,
  },
  "a state directory on a file system that takes no files": {
    words: ["run", "--state", "/proc/obscura"],
    prepare: async () => undefined,
    code: 1,
    says: /\/proc\/obscura/,
  },
  "no gpiod tools": {
    prepare: async (pi) => {
      pi.env.PATH = "/nowhere"
    },
    code: 2,
    says: /install .*gpiod/,
  },
  "no GPIO chip": {
    prepare: async (pi) => {
      pi.kernel.gone = true
    },
    code: 2,
    says: /chip/,
  },
  "a pin in use": {
    prepare: async (pi) => pi.kernel.occupy(27, "w1"),
    code: 1,
    says: /GPIO 27.*w1/,
  },
  "a key that is damaged": {
    prepare: async (pi) => {
      await mkdir(join(pi.paths.state, "private"), { recursive: true })
      await writeFile(join(pi.paths.state, "private/identity"), '{"version":1,"seed":"5ec2e7"}')
    },
    code: 2,
    says: /^(?!.*5ec2e7).*identity/,
  },
  "no camera program": {
    prepare: async (pi) => {
      pi.env.PATH = (pi.env.PATH ?? "")
        .split(":")
        .filter((each) => !each.endsWith("stand-ins"))
        .join(":")
    },
    code: 1,
    says: /no rpicam-vid on the PATH.*install/,
  },
  "a command that does not exist": {
    words: ["rnu"],
    prepare: async () => undefined,
    code: 2,
    says: /Did you mean run/,
  },
}

describe.concurrent("a mishap is one line that says what to do", { timeout: 60_000 }, () => {
  test.for(Object.entries(MISHAPS))("%s", async ([, mishap], { onTestFinished }) => {
    const { pi } = await home(program.file, onTestFinished)
    await mishap.prepare(pi)
    const { code, errors } = await pi.start(...(mishap.words ?? ["run"])).ended
    expect(errors).toMatch(/^obscura-camera: [^\n]+\n$/)
    expect(errors).toMatch(mishap.says)
    expect(code).toBe(mishap.code)
    await pi.kernel.until(() => pi.kernel.holders.every((id) => id === 0))
  })
})
