import { spawnSync } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { VERSION } from "../../hardware/program/version.ts"
import { judge, root } from "../support.ts"

const PATH = join(root, "hardware/program/obscura-camera.service")

interface Promised {
  readonly says: RegExp
  /** A line of the unit, and what a mistake makes of it. */
  readonly mistake: readonly [from: string, to: string]
}

/** What the unit must say, and each a mistake that must not pass. */
const PROMISES: Readonly<Record<string, Promised>> = {
  "it is not root": { says: /^User=obscura$/m, mistake: ["User=obscura", "User=root"] },
  "no core dump holds a picture": { says: /^LimitCORE=0$/m, mistake: ["LimitCORE=0", "LimitCORE=infinity"] },
  "no picture is swapped out, where the kernel keeps to it": {
    ...{ says: /^MemorySwapMax=0$/m, mistake: ["MemorySwapMax=0", "MemorySwapMax=100M"] },
  },
  "no variable opens a debugger or writes TLS keys": {
    says: /^UnsetEnvironment=.*\bNODE_OPTIONS\b.*\bSSLKEYLOGFILE\b/m,
    mistake: [" SSLKEYLOGFILE", ""],
  },
  "its state is its own": {
    ...{
      says: /^StateDirectoryMode=0700$/m,
      mistake: ["StateDirectoryMode=0700", "StateDirectoryMode=0750"],
    },
  },
  "it gains no privileges": {
    ...{ says: /^NoNewPrivileges=yes$/m, mistake: ["NoNewPrivileges=yes", "NoNewPrivileges=no"] },
  },
  "it has none to begin with": {
    says: /^CapabilityBoundingSet=$/m,
    mistake: ["CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_SYS_ADMIN"],
  },
  "it opens no port": {
    ...{ says: /^SocketBindDeny=any$/m, mistake: ["SocketBindDeny=any", "SocketBindDeny=tcp:80"] },
  },
  "it sees no devices but those it names": {
    ...{ says: /^DevicePolicy=closed$/m, mistake: ["DevicePolicy=closed", "DevicePolicy=auto"] },
  },
  "the kernel knows the camera's kinds of devices before they are allowed": {
    says: /^Wants=(?=.*modprobe@mc\.service)(?=.*modprobe@videodev\.service).*\nAfter=(?=.*modprobe@mc\.service)(?=.*modprobe@videodev\.service)/m,
    mistake: ["After=modprobe@mc.service modprobe@videodev.service", "After=modprobe@mc.service"],
  },
  "it comes back": { says: /^Restart=always$/m, mistake: ["Restart=always", "Restart=on-success"] },
  "a clip is closed before its lens is": {
    ...{ says: /^KillMode=mixed$/m, mistake: ["KillMode=mixed", "KillMode=control-group"] },
  },
  "systemd watches it": { says: /^WatchdogSec=\d+$/m, mistake: ["WatchdogSec=60", "# WatchdogSec=60"] },
  "its notifier is heard": {
    says: /^NotifyAccess=all$/m,
    mistake: ["NotifyAccess=all", "NotifyAccess=main"],
  },
}

describe("the service", () => {
  test.each(Object.entries(PROMISES))("%s", async (_name, { says, mistake: [from, to] }) => {
    const unit = await readFile(PATH, "utf8")
    expect(unit).toMatch(says)
    expect(unit.split(`${from}\n`)).toHaveLength(2)
    expect(unit.replace(`${from}\n`, `${to}\n`)).not.toMatch(says)
  })

  // What is said again later counts: a second line would undo the first.
  test("each of these it says once", async () => {
    const lines = (await readFile(PATH, "utf8")).split("\n")
    for (const { mistake } of Object.values(PROMISES)) {
      const key = /^[A-Za-z]+=/.exec(mistake[0])?.[0]
      if (key) expect(lines.filter((line) => line.startsWith(key))).toHaveLength(1)
    }
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
