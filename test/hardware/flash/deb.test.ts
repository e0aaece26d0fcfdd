import { execFile } from "node:child_process"
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { modelsIn } from "../../../hardware/detector/beside.ts"
import { findModel } from "../../../hardware/detector/model-store.ts"
import { type Bundle, makeBundle } from "../../../hardware/flash/bundle.ts"
import { buildDeb } from "../../../hardware/flash/deb.ts"
import { judge, root } from "../../support.ts"

const run = promisify(execFile)
const SCRIPTS = join(root, "hardware/flash/debian")

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-deb-test-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe.skipIf(!judge("dpkg-deb"))("the package", () => {
  let bundle: Bundle
  let light: Bundle
  let deb: string
  beforeAll(async () => {
    bundle = await makeBundle()
    // 14 MB that nobody reads are not packed again and again.
    const files = [...bundle.files].map(([name, bytes]) =>
      name.endsWith(".wasm") ? ([name, bytes.subarray(0, 1_000)] as const) : ([name, bytes] as const),
    )
    light = { ...bundle, files: new Map(files) }
    deb = await buildDeb(bundle, join(folder, "one"))
  }, 60_000)

  test("is the same bytes twice, whatever the umask and the clock", async () => {
    const before = process.umask(0o027)
    const again = await buildDeb(light, join(folder, "two")).finally(() => process.umask(before))
    const once = await buildDeb(light, join(folder, "six"))
    expect((await readFile(once)).equals(await readFile(again))).toBe(true)
  }, 60_000)

  test("is for every architecture, and needs Debian's Node and gpiod", async () => {
    const { stdout } = await run("dpkg-deb", ["--field", deb])
    expect(stdout).toContain("Architecture: all\n")
    expect(stdout).toMatch(/^Depends: nodejs \(>= 20\.19\), gpiod, /m)
  })

  test("holds program, service, user, manual, papers and a bill of materials, all of root's and for all to read", async () => {
    const { stdout } = await run("dpkg-deb", ["--contents", deb])
    const files = stdout.split("\n").filter((line) => line.startsWith("-"))
    expect(files.map((line) => line.replace(/^(\S+) (\S+) .* \.(\/\S+)$/, "$1 $2 $3")).sort()).toEqual(
      [
        "-rwxr-xr-x root/root /usr/bin/obscura-camera",
        "-rw-r--r-- root/root /usr/lib/obscura/obscura-camera.cjs",
        "-rw-r--r-- root/root /usr/lib/obscura/obscura-model.mjs",
        "-rw-r--r-- root/root /usr/lib/obscura/obscura-pictures.mjs",
        "-rw-r--r-- root/root /usr/lib/obscura/ort-wasm-simd-threaded.wasm",
        "-rw-r--r-- root/root /usr/lib/obscura/sbom.cdx.json",
        "-rw-r--r-- root/root /usr/lib/systemd/system/obscura-camera.service",
        "-rw-r--r-- root/root /usr/lib/sysusers.d/obscura-camera.conf",
        "-rw-r--r-- root/root /usr/share/doc/obscura-camera/changelog.gz",
        "-rw-r--r-- root/root /usr/share/doc/obscura-camera/copyright",
        "-rw-r--r-- root/root /usr/share/lintian/overrides/obscura-camera",
        "-rw-r--r-- root/root /usr/share/man/man1/obscura-camera.1.gz",
      ].sort(),
    )
  })

  test("holds a model when it is told to, with its licence, as it is found when the camera looks for one", async () => {
    const file = Buffer.from("a model")
    const paper = { sha256: "0".repeat(64), bytes: 7, licence: "Apache-2.0", source: "somebody" }
    const withModel = await buildDeb(light, join(folder, "five"), {
      model: { name: "mine", file, ...paper },
    })
    const out = join(folder, "with-model")
    await run("dpkg-deb", ["--extract", withModel, out])
    const lib = join(out, "usr/lib/obscura")
    const found = await findModel([join(folder, "nothing"), modelsIn(lib)])
    expect(found).toMatchObject({ name: "mine", licence: "Apache-2.0" })
    expect((await readFile(found?.path ?? "")).equals(file)).toBe(true)
    expect(await readFile(join(out, "usr/share/doc/obscura-camera/copyright"), "utf8")).toContain(
      "The model mine: Apache-2.0 (/usr/share/common-licenses/Apache-2.0); somebody.",
    )
  })

  test("starts the program with nothing of Node's environment, such as a debugger's port", async () => {
    const out = join(folder, "unpacked")
    await run("dpkg-deb", ["--extract", deb, out])
    const wrapper = await readFile(join(out, "usr/bin/obscura-camera"), "utf8")
    const here = wrapper.replace("/usr/bin/node", process.execPath).replace("/usr/lib", join(out, "usr/lib"))
    await writeFile(join(folder, "here"), here, { mode: 0o755 })
    const told = {
      ...{ NODE_OPTIONS: "--require /nowhere.js", NODE_V8_COVERAGE: join(folder, "coverage") },
      ...{ DEBUG: "*", NODE_DEBUG: "tls,net", OPENSSL_CONF: "/nowhere", SSLKEYLOGFILE: join(folder, "keys") },
    }
    const { stdout, stderr } = await run(join(folder, "here"), ["--version"], {
      env: { ...process.env, ...told },
    })
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+\n$/), ""])
    expect(await readdir(folder)).not.toContain("coverage")
    const asked = wrapper.replace(/exec .*/, "ulimit -c; env")
    await writeFile(join(folder, "asked"), asked, { mode: 0o755 })
    const [cores, ...environment] = (await run(join(folder, "asked"), [], { env: told })).stdout.split("\n")
    expect(cores).toBe("0")
    for (const name of Object.keys(told)) expect(environment.join("\n")).not.toContain(`${name}=`)
  })

  test.skipIf(!judge("lintian"))(
    "is one that lintian finds no error and no warning in",
    async () => {
      const { stdout } = await run("lintian", ["--allow-root", "--fail-on", "error,warning", deb])
      expect(stdout.split("\n").filter((line) => /^[EW]:/.test(line))).toEqual([])
    },
    60_000,
  )

  test("is built inside a folder of its own, by a tool that is told no secret of ours", async () => {
    const tools = await mkdtemp(join(folder, "tools-"))
    const said = join(tools, "said")
    const script = `#!/bin/sh\nenv >${said}\nfor last; do before=$made; made=$last; done
echo "made $made of $before, in $(stat -c %a "$(dirname "$made")")" >>${said}\necho x >"$made"\n`
    await writeFile(join(tools, "dpkg-deb"), script, { mode: 0o755 })
    const env = { PATH: `${tools}${delimiter}${process.env.PATH}`, OBSCURA_WIFI_PASSWORD: "hunter2" }
    await buildDeb(light, join(folder, "four"), { env })
    const text = await readFile(said, "utf8")
    expect(text).toMatch(/^SOURCE_DATE_EPOCH=\d+$/m)
    expect(text).not.toContain("hunter2")
    expect(text).toMatch(/^made (\/.*)\/out\.deb of \1\/tree, in 700$/m)
  })

  test("without dpkg-deb is a line that says what to install", async () => {
    await expect(buildDeb(bundle, join(folder, "three"), { env: { PATH: folder } })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("apt install dpkg, or brew install dpkg"),
    })
    await expect(readdir(join(folder, "three"))).rejects.toThrow()
  })
})

describe("its scripts", () => {
  const scripts = ["postinst", "prerm", "postrm", "obscura-camera", "../first-boot.sh"].map((name) =>
    join(SCRIPTS, name),
  )

  test.skipIf(!judge("shellcheck"))("are ones that shellcheck has nothing to say about", async () => {
    expect((await run("shellcheck", ["--shell=sh", ...scripts])).stdout).toBe("")
  })

  /** Runs one as dpkg does for a system in a folder, with stand-ins for Debian's tools that write down how they were called. */
  async function dpkgRuns(
    script: string,
    words: readonly string[],
    target: string,
  ): Promise<readonly string[]> {
    const tools = join(folder, "tools")
    const said = join(folder, "said")
    await mkdir(tools, { recursive: true })
    await writeFile(said, "")
    for (const tool of ["systemd-sysusers", "deb-systemd-helper", "deb-systemd-invoke", "systemctl"]) {
      await writeFile(join(tools, tool), `#!/bin/sh\necho ${tool} "$@" >>"$SAID"\n`)
      await chmod(join(tools, tool), 0o755)
    }
    const env = { PATH: `${tools}${delimiter}${process.env.PATH}`, SAID: said, DPKG_ROOT: target }
    await run("sh", [join(SCRIPTS, script), ...words], { env })
    return (await readFile(said, "utf8")).trimEnd().split("\n")
  }

  test("make the user and enable the service, and start nothing where no system runs", async () => {
    const said = await dpkgRuns("postinst", ["configure"], folder)
    expect(said).toContain(`systemd-sysusers --root=${folder} obscura-camera.conf`)
    expect(said).toContain("deb-systemd-helper enable obscura-camera.service")
    expect(said.filter((line) => /systemctl|invoke/.test(line))).toEqual([])
  })

  test("keep key, settings and waiting clips at remove, and forget them at purge", async () => {
    const target = join(folder, "system")
    const kept = ["var/lib/obscura/private/key", "var/lib/obscura/data/clip", "etc/obscura/camera.json"]
    for (const path of kept) {
      await mkdir(join(target, path, ".."), { recursive: true })
      await writeFile(join(target, path), "x")
    }
    await dpkgRuns("prerm", ["remove"], target)
    await dpkgRuns("postrm", ["remove"], target)
    for (const path of kept) expect(await readFile(join(target, path), "utf8")).toBe("x")
    await dpkgRuns("postrm", ["purge"], target)
    expect(await readdir(join(target, "var/lib"))).toEqual([])
    expect(await readdir(join(target, "etc"))).toEqual([])
  })
})
