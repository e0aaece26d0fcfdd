import { createHash } from "node:crypto"
import { VERSION } from "../program/version.ts"
import type { NpmPackage } from "./npm-packages.ts"

/**
 * The software bill of materials of a program made of `packages`: CycloneDX 1.5 JSON, with name, version, licence and
 * package URL of each, and what is linked into it. No serial number and no time, so that one program has one bill.
 */
export function sbomOf(program: Uint8Array, packages: readonly NpmPackage[]): string {
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      component: {
        type: "firmware",
        "bom-ref": "obscura-camera",
        name: "obscura-camera",
        version: VERSION,
        hashes: [{ alg: "SHA-256", content: createHash("sha256").update(program).digest("hex") }],
        licenses: [licenceOf("Apache-2.0")],
      },
    },
    components: packages.map(({ name, version, licence, linked }) => ({
      type: "library",
      "bom-ref": purlOf(name, version),
      name,
      version,
      licenses: [licenceOf(licence)],
      purl: purlOf(name, version),
      ...(linked.length > 0 && {
        components: linked.map((each) => ({
          ...{ type: "library", name: each.name, licenses: [licenceOf(each.licence)] },
        })),
      }),
    })),
  }
  return `${JSON.stringify(bill, null, 2)}\n`
}

/** An SPDX expression such as "(MIT OR Apache-2.0)" has a field of its own. */
function licenceOf(licence: string): object {
  return /[\s()]/.test(licence) ? { expression: licence } : { license: { id: licence } }
}

/** Package URL, type npm: the @ of a scope is percent-encoded. */
function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`
}
