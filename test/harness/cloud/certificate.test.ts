import { spawnSync } from "node:child_process"
import { createPrivateKey, X509Certificate } from "node:crypto"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Certificate, issuedBy, newAuthority, selfSigned } from "../../../harness/cloud/certificate.ts"
import { ClientAuthority } from "../../../harness/cloud/client-authority.ts"
import { judge } from "../../support.ts"

describe("certificates of our own making", () => {
  const authority = newAuthority("an authority")
  const server = issuedBy(authority, { names: ["localhost", "127.0.0.1", "::1", "2001:db8::7"] })

  test("name their host names and addresses, and their issuer", () => {
    const { issuer, subject, subjectAltName, ca } = new X509Certificate(server.certificate)
    expect({ issuer, subject, ca }).toEqual({ issuer: "CN=an authority", subject: "CN=localhost", ca: false })
    expect(subjectAltName).toBe(
      "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:0:0:7",
    )
    expect(new X509Certificate(authority.certificate).ca).toBe(true)
  })

  test("hold under their issuer's key and no other's", () => {
    const issued = new X509Certificate(server.certificate)
    expect(issued.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true)
    expect(issued.verify(new X509Certificate(newAuthority("an authority").certificate).publicKey)).toBe(false)
  })

  test("are valid at the times asked for, on both sides of 2050", () => {
    const { certificate } = selfSigned({
      names: ["localhost"],
      notBefore: "20491231235959Z",
      notAfter: "20500101000000Z",
    })
    const { validFrom, validTo } = new X509Certificate(certificate)
    expect([validFrom, validTo]).toEqual(["Dec 31 23:59:59 2049 GMT", "Jan  1 00:00:00 2050 GMT"])
  })
})

const openssl = judge("openssl")
describe.skipIf(!openssl)("openssl, strictly", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "obscura-certificate-"))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function verify(
    authority: Certificate,
    certificate: Certificate,
    ...args: string[]
  ): Promise<number | null> {
    const [ca, leaf] = [join(folder, "ca.pem"), join(folder, "leaf.pem")]
    await writeFile(ca, authority.certificate)
    await writeFile(leaf, certificate.certificate)
    return spawnSync("openssl", ["verify", "-x509_strict", "-CAfile", ca, ...args, leaf]).status
  }

  test.each([
    ["rsa", ["-newkey", "rsa:2048"]],
    ["ec", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"]],
  ])("takes what somebody else's authority (%s) issues to cameras", async (kind, wishes) => {
    const [ca, key, leaf] = ["ca.pem", "ca.key", "leaf.pem"].map((name) => join(folder, `${kind}-${name}`))
    if (!ca || !key || !leaf) throw new Error("three names")
    const usage = ["-addext", "keyUsage=critical,keyCertSign"]
    const subject = ["-subj", "/C=AT/O=Somebody else/OU=Cameras/CN=an authority"]
    const made = [
      "req",
      "-x509",
      ...wishes,
      "-noenc",
      "-keyout",
      key,
      "-out",
      ca,
      "-days",
      "9",
      ...subject,
      ...usage,
    ]
    expect(spawnSync("openssl", made).status).toBe(0)
    const files = { certificate: await readFile(ca, "utf8"), key: await readFile(key, "utf8") }
    const device = "ab".repeat(20)
    const issued = new ClientAuthority(files).issue(device)
    expect(new X509Certificate(issued.certificate).subject).toBe(`CN=${device}`)
    expect(createPrivateKey(issued.key).asymmetricKeyType).toBe("ec")
    await writeFile(leaf, issued.certificate)
    const strictly = ["verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", ca, leaf]
    expect(spawnSync("openssl", strictly, { encoding: "utf8" }).stdout).toBe(`${leaf}: OK\n`)
  })

  test("takes what an authority issued, for the names that it names", async () => {
    const authority = newAuthority("an authority")
    const server = issuedBy(authority, { names: ["localhost", "127.0.0.1", "::1"] })
    expect(await verify(authority, server, "-verify_hostname", "localhost")).toBe(0)
    expect(await verify(authority, server, "-verify_ip", "127.0.0.1")).toBe(0)
    expect(await verify(authority, server, "-verify_ip", "::1")).toBe(0)
    expect(await verify(authority, server, "-verify_hostname", "elsewhere.example")).not.toBe(0)
    expect(await verify(newAuthority("an authority"), server)).not.toBe(0)
  })

  test("takes no certificate from one that is no authority", async () => {
    const server = selfSigned({ names: ["localhost"] })
    expect(await verify(server, issuedBy(server, { names: ["elsewhere.example"] }))).not.toBe(0)
  })
})
