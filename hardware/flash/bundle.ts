import { readFile, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { type BuildFailure, type BuildOptions, build, type Message, type Plugin } from "esbuild"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { THREAD_NAMES, WASM_NAME } from "../detector/beside.ts"
import { makeFolder } from "../make-folder.ts"
import { type NpmPackage, noticeOf, packagesOf } from "./npm-packages.ts"
import { sbomOf } from "./sbom.ts"

/** The repository's root: what ships is built from sources. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const ENTRY = "hardware/main.ts"
export const PROGRAM = "obscura-camera.cjs"

/** Threads of the detector, which are modules of their own. */
const THREADS: Readonly<Record<string, string>> = {
  [THREAD_NAMES.model]: "hardware/detector/model-thread.ts",
  [THREAD_NAMES.picture]: "hardware/detector/picture-thread.ts",
}
/** The runtime of models, for any processor. */
const WASM = `node_modules/onnxruntime-web/dist/${WASM_NAME}`

/** What ships to a camera: a program for Node 20.19, what it recognises by, and papers about what is in it. */
export interface Bundle {
  /**
   * To bytes: PROGRAM, which needs none of the others; two threads and the runtime of the detector; `sbom.cdx.json`
   * (CycloneDX 1.5) and `NOTICE` (the licence texts of every npm package inside).
   */
  readonly files: ReadonlyMap<string, Buffer>
  /** Every source file inside, by the bundler's own list: paths from the root, sorted. */
  readonly inputs: readonly string[]
  readonly packages: readonly NpmPackage[]
}

export interface BundleOptions {
  /** A program other than ENTRY: its TypeScript, as if it lay in the root. For tests. */
  readonly contents?: string
}

/**
 * The same sources and packages make the same bytes, wherever they lie. The program is CommonJS, for johnny-five, mqtt and
 * raspicam call `require`; not minified, so that an owner can read what runs in the house and a stack trace says where.
 *
 * @throws Fault "usage", definite: the sources do not build, or a package says no licence. "broken": what would ship holds
 * a file that must never ship, such as a simulator, harness, or a variant that does not seal.
 */
export async function makeBundle({ contents }: BundleOptions = {}): Promise<Bundle> {
  const main: BuildOptions =
    contents === undefined
      ? { entryPoints: [join(ROOT, ENTRY)] }
      : { stdin: { contents, resolveDir: ROOT, loader: "ts", sourcefile: ENTRY } }
  const program = await built({ ...BUILD, ...main, format: "cjs", outfile: PROGRAM })
  const threads = await Promise.all(
    Object.entries(THREADS).map(async ([name, entry]) => ({
      ...(await built({ ...BUILD, entryPoints: [join(ROOT, entry)], format: "esm", outfile: name })),
      name,
    })),
  )
  const inputs = [...new Set([...program.inputs, ...threads.flatMap((each) => each.inputs), WASM])].sort()
  const packages = await packagesOf(inputs, ROOT)
  const files = new Map([
    [PROGRAM, program.bytes],
    ...threads.map(({ name, bytes }) => [name, bytes] as const),
    [basename(WASM), await readFile(join(ROOT, WASM))],
    ["sbom.cdx.json", Buffer.from(sbomOf(program.bytes, packages))],
    ["NOTICE", Buffer.from(noticeOf(packages))],
  ])
  return { files, inputs, packages }
}

async function built(options: BuildOptions): Promise<{ readonly bytes: Buffer; readonly inputs: string[] }> {
  const { outputFiles, metafile, warnings } = await build({
    ...options,
    ...({ write: false, metafile: true } as const),
  }).catch((cause: unknown) => {
    throw new Fault("usage", `bundle: ${firstError(cause)}`, { cause })
  })
  const inputs = Object.keys(metafile.inputs)
  refuseForeign(inputs)
  refuseWarnings(warnings)
  return { bytes: Buffer.from(outputFiles[0]?.contents ?? []), inputs }
}

/** Makes the bundle and writes it into a folder, which is made. @throws Fault as `makeBundle`, "usage" for the folder. */
export async function buildBundle(outDir: string, options: BundleOptions = {}): Promise<Bundle> {
  const bundle = await makeBundle(options)
  await makeFolder(outDir, 0o755)
  try {
    for (const [name, bytes] of bundle.files) await writeFile(join(outDir, name), bytes, { mode: 0o644 })
  } catch (cause) {
    throw new Fault("usage", `${outDir}: cannot be written (${messageOf(cause)}); choose another folder`, {
      cause,
    })
  }
  return bundle
}

/**
 * What johnny-five can do without. A serial port and its protocol are for boards that bring no IO plugin, which ours always
 * do, and the port's native addon could not travel in one file. `nanotimer` plays Piezo's tunes; it states no licence, and
 * so cannot be handed on.
 */
const UNUSED: Readonly<Record<string, string>> = {
  serialport: "module.exports = {}",
  firmata: "module.exports = {}",
  nanotimer: 'module.exports = function () { throw new Error("tunes are not part of obscura-camera") }',
}

const unused: Plugin = {
  name: "unused",
  setup(building) {
    const filter = new RegExp(`^(?:${Object.keys(UNUSED).join("|")})$`)
    building.onResolve({ filter }, ({ path }) => ({ path, namespace: "unused" }))
    building.onLoad({ filter: /.*/, namespace: "unused" }, ({ path }) => ({ contents: UNUSED[path] ?? "" }))
  },
}

const BUILD = {
  absWorkingDir: ROOT,
  tsconfig: join(ROOT, "tsconfig.json"),
  bundle: true,
  platform: "node",
  target: "node20.19",
  // Paths stay those under the root, also where node_modules is a link to elsewhere.
  preserveSymlinks: true,
  legalComments: "none",
  sourcemap: false,
  charset: "utf8",
  logLevel: "silent",
  plugins: [unused],
  // Binaries that somebody may have installed beside the program, for one processor; it does without.
  external: ["node-av/*", "onnxruntime-node"],
} as const satisfies BuildOptions

/** A warning about a package is its own affair; about ours, such as `import.meta` in CommonJS, it is a program that fails. */
function refuseWarnings(warnings: readonly Message[]): void {
  const ours = warnings.find(({ location }) => location && !location.file.includes("node_modules/"))
  if (ours) throw new Fault("usage", `bundle: ${placed(ours)}`)
}

const SHIPS = /^(?:firmware\/|hardware\/(?!flash\/|emulation\/)|unused:|(?:.*\/)?node_modules\/)/

function refuseForeign(inputs: readonly string[]): void {
  const foreign = inputs.find((path) => !SHIPS.test(path))
  if (foreign !== undefined)
    throw new Fault("broken", `bundle: ${foreign} would ship, and must not: see what imports it`)
}

function firstError(cause: unknown): string {
  const errors = (cause as Partial<BuildFailure>).errors
  return errors?.[0] ? placed(errors[0]) : messageOf(cause)
}

function placed({ text, location }: Message): string {
  return location ? `${location.file}:${location.line}: ${text}` : text
}
