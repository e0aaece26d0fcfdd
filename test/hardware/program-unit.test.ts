import { spawnSync } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { VERSION } from "../../hardware/program/version.ts"
import { judge, root } from "../support.ts"

const PATH = join(root, "hardware/program/obscura-camera.service")

/** What the unit must say, and each a mistake that must not pass. */
const PROMISES: Readonly<Record<string, RegExp>> = {
  "it is not root": /^User=obscura$/m,
  "no core dump holds a picture": /^LimitCORE=0$/m,
  "no picture is swapped out": /^MemorySwapMax=0$/m,
  "no variable opens a debugger or writes TLS keys":
    /^UnsetEnvironment=.*\bNODE_OPTIONS\b.*\bSSLKEYLOGFILE\b/m,
  "its state is its own": /^StateDirectoryMode=0700$/m,
  "it gains no privileges": /^NoNewPrivileges=yes$/m,
  "it has none to begin with": /^CapabilityBoundingSet=$/m,
  "it opens no port": /^SocketBindDeny=any$/m,
  "it comes back": /^Restart=always$/m,
  "a clip is closed before its lens is": /^KillMode=mixed$/m,
  "systemd watches it": /^WatchdogSec=\d+$/m,
  "its notifier is heard": /^NotifyAccess=all$/m,
}

describe("the service", () => {
  test.each(Object.entries(PROMISES))("%s", async (_name, promise) => {
    const unit = await readFile(PATH, "utf8")
    expect(unit).toMatch(promise)
    expect(unit.replace(promise, "")).not.toMatch(promise)
  })

  test("it waits for no network: without one it records all the same", async () => {
    expect(await readFile(PATH, "utf8")).not.toMatch(/^(?:After|Wants|Requires)=.*(?:network|time-sync)/m)
  })

  test("systemd has nothing to say against it", async ({ skip }) => {
    const analyze = judge("systemd-analyze")
    if (analyze === null) return skip("systemd-analyze is missing")
    const verify = async (unit: string) => {
      const folder = await mkdtemp(join(tmpdir(), "obscura-unit-"))
      onTestFinished(() => rm(folder, { recursive: true, force: true }))
      const file = join(folder, "obscura-camera.service")
      await writeFile(file, unit.replace("/usr/bin/obscura-camera", process.execPath))
      const { status, stdout, stderr } = spawnSync(analyze, ["verify", "--man=no", file], {
        encoding: "utf8",
      })
      return { status, said: (stdout + stderr).split("\n").filter((line) => line.includes("obscura-camera")) }
    }
    const unit = await readFile(PATH, "utf8")
    expect(await verify(unit)).toEqual({ status: 0, said: [] })
    expect((await verify(unit.replace("WatchdogSec=60", "WatchdogSec=often"))).said).not.toEqual([])
  })

  test("it says the version of the package", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
    expect(VERSION).toBe(version)
  })
})
