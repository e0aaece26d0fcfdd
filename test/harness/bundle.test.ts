import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { type Bundle, buildBundle, makeBundle, PROGRAM } from "../../hardware/flash/bundle.ts"
import { mutant } from "../mutants.ts"
import { root, TYPESCRIPT } from "../support.ts"
import { tinyOnnx } from "../tiny-onnx.ts"

/** Everything here is about the very bundle that goes into the package: the one that a Pi installs. */
let folder: string
let bundle: Bundle
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-bundle-"))
  bundle = await buildBundle(join(folder, "bundle"))
}, 60_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

const sources = (each: Bundle) => each.inputs.filter((path) => !/(?:^|\/)node_modules\/|^unused:/.test(path))
const program = () => String(bundle.files.get(PROGRAM))

describe("what is packed for a Pi", () => {
  test("is the camera and its board, and nothing of simulator, harness, its unsafe variants, or of flashing", () => {
    expect(bundle.inputs).toContain("firmware/delivery/sealer.ts")
    expect(bundle.inputs).toContain("hardware/dialler.ts")
    expect(bundle.inputs).toContain("hardware/main.ts")
    expect(sources(bundle).filter((path) => !/^(?:firmware|hardware)\//.test(path))).toEqual([])
    expect(sources(bundle).filter((path) => /^hardware\/(?:flash|emulation)\//.test(path))).toEqual([])
    expect(
      bundle.inputs.filter((path) => /node_modules\/(?:aedes|esbuild|yaml|@aws-sdk)\//.test(path)),
    ).toEqual([])
  })

  test.each([
    "harness/unsafe/plain-camera.ts",
    "harness/unsafe/plain-sealer.ts",
    "harness/commands/options.ts",
    "simulator/board.ts",
    "hardware/flash/flash.ts",
    "test/support.ts",
  ])("is refused as soon as it imports %s", async (path) => {
    const contents = `import "./${path}"`
    await expect(makeBundle({ contents })).rejects.toMatchObject({
      kind: "broken",
      message: expect.stringMatching(/^bundle: .* would ship, and must not/),
    })
  })

  test("would hold it otherwise: without that check the bundle is made, and its inputs name what must not ship", async () => {
    const { makeBundle: careless } = await mutant<{ makeBundle: typeof makeBundle }>(
      "hardware/flash/bundle.ts",
      {
        path: "hardware/flash/bundle.ts",
        from: "  refuseForeign(inputs)\n",
        to: "",
      },
    )
    const contents =
      'import { runPlainCamera } from "./harness/unsafe/plain-camera.ts"\nconsole.log(runPlainCamera)'
    expect((await careless({ contents })).inputs).toContain("harness/unsafe/plain-camera.ts")
  })

  test("has one way from lens to spool, and a sealer is bound on it: nothing could upload what is not sealed", () => {
    // Its definition in firmware/camera.ts and the one call there, with the real sealer; of the unsafe variants it is
    // the name that they need.
    expect(program().match(/\brunLoops\b/g)).toHaveLength(2)
    expect(program().match(/return runLoops\(board, config\d*, sealFor, signal\)/g)).toHaveLength(1)
  })
})

describe("the bundle", () => {
  test("runs in an empty folder, with no node_modules anywhere above it", async () => {
    const empty = await mkdtemp(join(tmpdir(), "obscura-empty-"))
    await cp(join(folder, "bundle", PROGRAM), join(empty, PROGRAM))
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, "--help"], {
      cwd: empty,
      env: {},
    })
    for (const command of ["run", "pair", "status", "shim", "wiring"])
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, "m"))
    await rm(empty, { recursive: true })
  })

  test("recognises with what lies beside it, and nothing else", async () => {
    const empty = await mkdtemp(join(tmpdir(), "obscura-beside-"))
    for (const name of bundle.files.keys()) await cp(join(folder, "bundle", name), join(empty, name))
    const values = new Float32Array(84 * 85)
    const tiny = tinyOnnx({ input: [1, 3, 64, 64], outputs: [{ dims: [1, 84, 85], values }] })
    await writeFile(join(empty, "tiny.onnx"), tiny)
    const hash = createHash("sha256").update(tiny).digest("hex")
    const words = ["model", "install", "tiny.onnx", "--sha256", hash, "--state", "state"]
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...words], {
      cwd: empty,
      env: {},
    })
    expect(stdout).toMatch(/^installed +tiny, /)
    await rm(empty, { recursive: true })
  })

  test("is the same bytes twice, and from any folder", async () => {
    const elsewhere = join(folder, "elsewhere", "deep")
    await mkdir(elsewhere, { recursive: true })
    for (const part of ["firmware", "hardware", "harness/typescript", "package.json", "tsconfig.json"])
      await cp(join(root, part), join(elsewhere, part), { recursive: true })
    await symlink(join(root, "node_modules"), join(elsewhere, "node_modules"))
    const build = `const { buildBundle } = await import(${JSON.stringify(join(elsewhere, "hardware/flash/bundle.ts"))})
      await buildBundle("again")`
    await promisify(execFile)(
      process.execPath,
      ["--import", TYPESCRIPT, "--input-type=module", "-e", build],
      {
        cwd: folder,
      },
    )
    for (const [name, bytes] of bundle.files) {
      expect(bytes.equals(await readFile(join(folder, "bundle", name)))).toBe(true)
      expect(bytes.equals(await readFile(join(folder, "again", name)))).toBe(true)
    }
  }, 60_000)

  test("tells of this machine and this moment nothing", () => {
    for (const bytes of bundle.files.values()) {
      expect(bytes.includes(root)).toBe(false)
      expect(bytes.includes(tmpdir())).toBe(false)
    }
    expect(program()).not.toContain("sourceMappingURL")
  })

  test.each([
    ["await Promise.resolve()", /^bundle: hardware\/main\.ts:1: Top-level await is currently not supported/],
    ["console.log(import.meta.url)", /^bundle: hardware\/main\.ts:1: "import\.meta" is not available/],
    ["import './nowhere.ts'", /^bundle: hardware\/main\.ts:1: Could not resolve "\.\/nowhere\.ts"/],
    ["const = 1", /^bundle: hardware\/main\.ts:1: Expected identifier/],
    [
      "import timer from 'nanotimer/lib/nanoTimer.js'; timer()",
      /^bundle: package nanotimer states no licence/,
    ],
  ])("of %s is refused with one line that says where", async (contents, message) => {
    await expect(makeBundle({ contents })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(message),
    })
  })

  test("into a folder that cannot be is refused with one line", async () => {
    await expect(buildBundle("/proc/obscura/none")).rejects.toMatchObject({ kind: "usage" })
  })
})

const billShape = z.strictObject({
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.literal("1.5"),
  version: z.literal(1),
  metadata: z.strictObject({
    component: z.looseObject({ type: z.literal("firmware"), version: z.string() }),
  }),
  components: z.array(
    z.strictObject({
      type: z.literal("library"),
      "bom-ref": z.string(),
      name: z.string(),
      version: z.string().regex(/^\d+\.\d+\.\d+/),
      licenses: z.tuple([
        z.union([
          z.strictObject({ license: z.strictObject({ id: z.string() }) }),
          z.strictObject({ expression: z.string() }),
        ]),
      ]),
      purl: z.string().regex(/^pkg:npm\/(?:%40[^/@]+\/)?[^/@]+@\d/),
      components: z.array(z.looseObject({ type: z.literal("library"), name: z.string() })).optional(),
    }),
  ),
})

describe("the papers beside it", () => {
  test("are a bill of materials and a licence text for every npm package of which something is inside", () => {
    const bill = billShape.parse(JSON.parse(String(bundle.files.get("sbom.cdx.json"))))
    const notice = String(bundle.files.get("NOTICE"))
    const inside = new Set(
      bundle.inputs.flatMap((path) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
    )
    expect(inside.size).toBeGreaterThan(20)
    expect(new Set(bill.components.map(({ name }) => name))).toEqual(inside)
    for (const { name, version } of bill.components) expect(notice).toContain(`\n${name} ${version} (`)
    expect(new Set(bill.components.map(({ purl }) => purl)).size).toBe(bill.components.length)
    expect(notice).toContain("Permission is hereby granted, free of charge")
    // Its npm package leaves the text in its repository.
    expect(notice).toMatch(
      /\nonnxruntime-web [\d.]+ \(MIT\)\n\nMIT License\n\nCopyright \(c\) Microsoft Corporation\n/,
    )
    // So it does with those of what is linked into its WebAssembly.
    const linked = bill.components.find(({ name }) => name === "onnxruntime-web")?.components ?? []
    expect(linked.map(({ name }) => name)).toEqual(expect.arrayContaining(["protobuf", "onnx", "eigen"]))
    expect(notice).toContain("protobuf: Copyright 2008 Google Inc.  All rights reserved.\n")
  })

  test("state one version with package.json and the Debian changelog", async () => {
    const { version } = z
      .looseObject({ version: z.string() })
      .parse(JSON.parse(await readFile(join(root, "package.json"), "utf8")))
    const bill = billShape.parse(JSON.parse(String(bundle.files.get("sbom.cdx.json"))))
    expect(bill.metadata.component.version).toBe(version)
    expect(await readFile(join(root, "hardware/flash/debian/changelog"), "utf8")).toMatch(
      new RegExp(`^obscura-camera \\(${version.replaceAll(".", "\\.")}\\) `),
    )
  })
})
