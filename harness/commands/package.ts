import { createHash } from "node:crypto"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Command } from "commander"
import { buildBundle, makeBundle } from "../../hardware/flash/bundle.ts"
import { buildDeb, type PackedModel } from "../../hardware/flash/deb.ts"
import { type ModelOptions, modelHashOption, packedModel } from "./packed-model.ts"

const HELP = `
Writes the bundle (one program for Node 20.19, its SBOM, the licences of what is in it) into <dir>/bundle, and beside it
obscura-camera_<version>_all.deb, which holds the same. The same sources make the same bytes.

On a Pi: sudo apt install ./obscura-camera_<version>_all.deb`

export function packageCommand(): Command {
  return new Command("package")
    .description("build what a Raspberry Pi installs: a Debian package with the camera's program and service")
    .requiredOption("--out <dir>", "folder to write into")
    .option("--model <file|url>", "put this model for recognition in as well; else it is installed on the Pi")
    .addOption(modelHashOption())
    .addHelpText("after", HELP)
    .action(async ({ out, ...options }: PackageOptions) => {
      const model = await packedModel(options)
      const bundle = await buildBundle(join(out, "bundle"))
      for (const name of bundle.files.keys()) await announce(join(out, "bundle", name))
      await announce(await buildDeb(bundle, out, { model }))
    })
}

interface PackageOptions extends ModelOptions {
  readonly out: string
}

/** As `sha256sum` prints it, so that two builds are compared with its --check. */
async function announce(path: string): Promise<void> {
  console.log(
    `${createHash("sha256")
      .update(await readFile(path))
      .digest("hex")}  ${path}`,
  )
}

/** The package's bytes, built for one use. @throws Fault "usage", definite, as building does. */
export async function packageBytes(model: PackedModel | null): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "obscura-package-"))
  try {
    return await readFile(await buildDeb(await makeBundle(), folder, { model }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
