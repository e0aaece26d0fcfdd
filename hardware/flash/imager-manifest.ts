import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { stat } from "node:fs/promises"
import { basename, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { Fault, messageOf } from "../../firmware/errors.ts"

/** The Pis that obscura knows, to Raspberry Pi Imager's own tag of what runs on them. */
const DEVICES: Readonly<Record<string, string>> = {
  "Raspberry Pi 5": "pi5-64bit",
  "Raspberry Pi 4": "pi4-64bit",
  "Raspberry Pi 3": "pi3-64bit",
  "Raspberry Pi Zero 2 W": "pi3-64bit",
}

/**
 * What Raspberry Pi Imager 2 must be told of an image file of ours (its os-list-schema.json): without it, it does not know
 * that the image reads cloud-init, and greys its customisation out.
 *
 * @param released "2026-11-26".
 * @throws Fault "usage", definite: the image cannot be read, or is packed.
 */
export async function imagerManifest(image: string, released: string): Promise<string> {
  if (/\.(?:xz|gz|zip|zst)$/i.test(image))
    throw new Fault(
      "usage",
      `${image}: is packed, and its unpacked size and hash are needed: unpack it first`,
    )
  const { size, sha256 } = await measure(image)
  const manifest = {
    imager: {
      devices: Object.entries(DEVICES).map(([name, tag]) => ({
        name,
        description: name,
        icon: "",
        tags: [tag],
        matching_type: "exclusive",
      })),
    },
    os_list: [
      {
        name: "obscura camera",
        description: "Raspberry Pi OS with a camera whose makers cannot look",
        icon: "",
        url: pathToFileURL(resolve(image)).href,
        extract_size: size,
        extract_sha256: sha256,
        image_download_size: size,
        image_download_sha256: sha256,
        release_date: released,
        init_format: "cloudinit-rpi",
        devices: [...new Set(Object.values(DEVICES))],
      },
    ],
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

async function measure(image: string): Promise<{ readonly size: number; readonly sha256: string }> {
  const hash = createHash("sha256")
  try {
    const { size } = await stat(image)
    for await (const piece of createReadStream(image)) hash.update(piece as Buffer)
    return { size, sha256: hash.digest("hex") }
  } catch (cause) {
    throw new Fault("usage", `${basename(image)}: cannot be read (${messageOf(cause)})`, { cause })
  }
}
