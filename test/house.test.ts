import { readdirSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"
import { describe, expect, test } from "vitest"
import { root } from "./support.ts"

/**
 * What keeps the house in order, beyond what compiler and linter see.
 *
 *   firmware  <-  hardware   <-  harness
 *   firmware  <-  simulator  <-  harness          nobody imports test
 */

const ARROWS: Readonly<Record<string, readonly string[]>> = {
  firmware: ["firmware"],
  hardware: ["firmware", "hardware"],
  simulator: ["firmware", "simulator"],
  harness: ["firmware", "hardware", "simulator", "harness"],
}

/** What firmware may use of others: nothing here reaches a file, a socket, a process, a clock or a random source of its own. */
const FIRMWARE_PACKAGES = [
  "node:buffer",
  "node:crypto",
  "node:events",
  "node:stream",
  "@scure/base",
  "age-encryption",
  "johnny-five",
  "mqtt",
  "mqtt-packet",
  "zod",
]

/** The world is an argument: these words of the language reach it unasked. */
const FIRMWARE_TABOO =
  /(?<!\.)\b(?:new Date\b|Date\s*\.\s*now\b|Math\s*\.\s*random\b|set(?:Timeout|Interval|Immediate)\b|(?:performance|process|globalThis)\s*[.[]|fetch\s*\()/

/** Harness files that compose an unsafe variant, each with its reason. Nothing else imports `harness/unsafe/`. */
const COMPOSES_UNSAFE: Readonly<Record<string, string>> = {
  "harness/incidents/run.ts":
    "with --unsafe an incident runs with the mistake that it came of, and must fail",
  "harness/commands/insider.ts": "with --mutants each check must find the mistake that it was drawn from",
  "harness/commands/mutants.ts": "every check must fail on the mistake it is there for",
  "harness/price/plain-fleet-work.ts": "what sealing costs is a difference to cameras that do not seal",
  "harness/price/plain-cloud-work.ts": "and to a cloud that asks for no signatures of manifests",
  "harness/price/alone-work.ts": "what sealing costs alone is a difference to hashing alone",
}

const LINES_MAX = 300
/** Longer files, each with the reason why two nouns may live there. */
const LONGER: Readonly<Record<string, string>> = {}

/** Path from the repository's root to source. */
type Files = Readonly<Record<string, string>>

const RULES: Readonly<Record<string, (files: Files) => string[]>> = {
  "arrows point one way": (files) =>
    each(files, (path, source) => {
      const allowed = ARROWS[folderOf(path)] ?? []
      return importsOf(source)
        .filter((name) => name.startsWith("."))
        .map((name) => posix.join(posix.dirname(path), name))
        .filter((target) => !allowed.includes(folderOf(target)))
        .map((target) => `imports ${target}`)
    }),

  "firmware takes nothing of the world but its ports": (files) =>
    each(files, (path, source) => {
      if (folderOf(path) !== "firmware") return []
      const foreign = importsOf(source).filter(
        (name) => !name.startsWith(".") && !FIRMWARE_PACKAGES.includes(name),
      )
      const taboo = FIRMWARE_TABOO.exec(withoutProse(source))?.[0]
      return [...foreign.map((name) => `imports ${name}`), ...(taboo ? [`says ${taboo}`] : [])]
    }),

  "unsafe variants are composed in the harness alone": (files) =>
    each(files, (path, source) => {
      if (path.startsWith("harness/unsafe/") || path in COMPOSES_UNSAFE) return []
      return importsOf(source)
        .map((name) => (name.startsWith(".") ? posix.join(posix.dirname(path), name) : name))
        .filter((target) => target.startsWith("harness/unsafe"))
        .map((target) => `imports ${target}`)
    }),

  "a camera's sealer is bound in one place": (files) =>
    each(files, (path, source) => {
      if (path === "firmware/camera.ts" || path.startsWith("harness/unsafe/")) return []
      return /\brunLoops\b/.test(withoutProse(source)) ? ["says runLoops"] : []
    }),

  // But for anybody's own scenario, which is code by its path.
  "what an import names can be seen": (files) =>
    each(files, (path, source) =>
      path !== "harness/scenario/load-scenario.ts" &&
      /\b(?:import|require)\s*\(\s*(?!["'])\S/.test(withoutProse(source, true))
        ? ["imports a computed name"]
        : [],
    ),

  "no any": (files) =>
    each(files, (_path, source) => {
      const found = /(?:[:<|&,]|\bas|=>)\s*any\b(?!\s*[:(?])/.exec(withoutProse(source))?.[0]
      return found ? [`says ${found}`] : []
    }),

  "a file is about one noun": (files) =>
    each(files, (path, source) => {
      const lines = source.trimEnd().split("\n").length
      return lines > LINES_MAX && !(path in LONGER) ? [`has ${lines} lines`] : []
    }),
}

describe("the house", () => {
  const files = sources()

  test("has files in every room", () => {
    for (const folder of Object.keys(ARROWS))
      expect(Object.keys(files).some((path) => folderOf(path) === folder)).toBe(true)
  })

  test.each(Object.entries(RULES))("%s", (_name, broken) => {
    expect(broken(files)).toEqual([])
  })

  test("an exception whose file is gone goes too", () => {
    for (const path of [...Object.keys(COMPOSES_UNSAFE), ...Object.keys(LONGER)])
      expect(files).toHaveProperty([path])
  })
})

/** Each rule meets what it must not let pass. */
const MUTANTS: Readonly<Record<keyof typeof RULES, Files>> = {
  "arrows point one way": {
    "firmware/a.ts": 'import { fsDisk } from "../hardware/disk.ts"',
    "firmware/pins/b.ts": 'import type { Faults } from "../../simulator/faults.ts"',
    "firmware/c.ts": 'export * from "../harness/cli.ts"',
    "firmware/d.ts": 'const cloud = await import("../harness/cloud.ts")',
    "firmware/e.ts": 'import {\n  a,\n  b,\n} from "../simulator/clock.ts"',
    "firmware/f.ts": 'import "../hardware/main.ts"',
    "firmware/g.ts": 'type Disk = import("../hardware/disk.ts").FsDisk',
    "hardware/a.ts": 'export { virtualClock } from "../simulator/clock.ts"',
    "simulator/a.ts": 'import { fsDisk } from "../hardware/disk.ts"',
    "simulator/b.ts": 'import { broker } from "../harness/cloud/broker.ts"',
    "hardware/b.ts": 'import { root } from "../test/support.ts"',
    "harness/a.ts": 'import { root } from "../test/support.ts"',
    "harness/b.ts": 'import manifest from "../package.json"',
  },
  "firmware takes nothing of the world but its ports": {
    "firmware/a.ts": 'import { readFile } from "node:fs/promises"',
    "firmware/b.ts": 'import { connect } from "node:net"',
    "firmware/c.ts": 'import fs from "fs"',
    "firmware/d.ts": 'import aedes from "aedes"',
    "firmware/e.ts": "const now = Date.now()",
    "firmware/f.ts": "const jitter = Math.random()",
    "firmware/g.ts": "setTimeout(() => undefined, 5)",
    "firmware/h.ts": "setInterval(() => undefined, 5)",
    "firmware/i.ts": "const now = performance.now()",
    "firmware/j.ts": "const now = new Date()",
    "firmware/k.ts": "const home = process.env.HOME",
    "firmware/l.ts": "// fine\nconst text = `$" + "{Date.now()}`",
    "firmware/n.ts": "const later = setTimeout",
    "firmware/m.ts": 'const later = Date\n  .now ; const a = "x"; setImmediate(run)',
  },
  "unsafe variants are composed in the harness alone": {
    "harness/cli.ts": 'import { plain } from "./unsafe/plain.ts"',
    "harness/load/worker.ts": 'const { plain } = await import("../unsafe/plain.ts")',
    "firmware/camera.ts": 'import { plain } from "../harness/unsafe/plain.ts"',
  },
  "a camera's sealer is bound in one place": {
    "hardware/main.ts": 'import { runLoops } from "../firmware/camera.ts"',
    "harness/load/worker.ts":
      'import * as camera from "../../firmware/camera.ts"\ncamera.runLoops(board, config, mine, signal)',
  },
  "what an import names can be seen": {
    "firmware/a.ts": 'const part = await import(["..", "harness", "cli.ts"].join("/"))',
    "hardware/b.ts": "const part = require(name)",
    "hardware/c.ts": "const part = await import(`../$" + "{folder}/cli.ts`)",
  },
  "no any": {
    "firmware/a.ts": "export const a: any = 1",
    "hardware/b.ts": "const b = value as any",
    "simulator/c.ts": "function c(list: Array<any>) {}",
    "harness/d.ts": "type D = string | any",
  },
  "a file is about one noun": {
    "firmware/a.ts": "const a = 1\n".repeat(301),
  },
}

describe("each rule fails on what it forbids", () => {
  for (const [name, mutants] of Object.entries(MUTANTS))
    test.each(Object.entries(mutants))(`${name}: %s`, (path, source) => {
      expect(RULES[name]?.({ [path]: source })).toHaveLength(1)
    })
})

test("prose is not code: comments and texts may name what code must not use", () => {
  const source = [
    '/** import { x } from "../simulator/x.ts": Date.now() is any time. */',
    '// import { x } from "../harness/unsafe/x.ts"',
    'const advice = "do not call Math.random(), say: any"',
    "const real = clock.real() // not Date.now()",
    "const many: Manyfold = { any: 1 }",
  ].join("\n")
  for (const broken of Object.values(RULES)) expect(broken({ "firmware/a.ts": source })).toEqual([])
})

function each(files: Files, broken: (path: string, source: string) => string[]): string[] {
  return Object.entries(files).flatMap(([path, source]) =>
    broken(path, source).map((what) => `${path} ${what}`),
  )
}

function folderOf(path: string): string {
  return path.split("/")[0] ?? ""
}

/** What `import`, `export … from`, `import()` and `import("…").Type` name, in order. */
function importsOf(source: string): string[] {
  const code = withoutProse(source, true)
  const found = code.matchAll(
    /\bfrom\s*["']([^"'\n]+)["']|\bimport\s*["']([^"'\n]+)["']|\b(?:import|require)\s*\(\s*["']([^"'\n]+)["']/g,
  )
  return [...found].map(([, from, bare, call]) => from ?? bare ?? call ?? "")
}

/** Code without comments and, unless `keepTexts`, without quoted texts; template literals stay, for they hold code. */
function withoutProse(source: string, keepTexts = false): string {
  const prose = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
  return source.replace(prose, (piece) => {
    if (piece.startsWith("/")) return " "
    return piece.startsWith("`") || keepTexts ? piece : '""'
  })
}

function sources(): Files {
  const files: Record<string, string> = {}
  for (const folder of Object.keys(ARROWS))
    for (const path of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }))
      if (path.endsWith(".ts")) files[`${folder}/${path}`] = readFileSync(join(root, folder, path), "utf8")
  return files
}
