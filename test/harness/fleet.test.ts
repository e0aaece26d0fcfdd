import { spawnSync } from "node:child_process"
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CommanderError } from "commander"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { isFault } from "../../firmware/errors.ts"
import { readBucket } from "../../harness/cloud/bucket.ts"
import { fleetCommand } from "../../harness/commands/fleet.ts"
import { parseReport, readReport } from "../../harness/load/report.ts"
import type { Ended } from "../running.ts"
import { judge } from "../support.ts"
import { type Answer, obscura, startObscura } from "./run-obscura.ts"

let home: string
let whole: Answer
let interrupted: Ended

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "obscura-fleet-"))
  const longOne = startObscura(
    home,
    ..."fleet --no-insiders --cameras 3 --seconds 600 --seed 1 --out interrupted".split(" "),
  )
  const ends = obscura(home, ..."fleet --cameras 4 --seconds 8 --seed 7 --json --out whole".split(" "))
  await longOne.until(/ [1-9]\d* received/)
  // As it comes through npm: twice for one press.
  longOne.child.kill("SIGINT")
  longOne.child.kill("SIGINT")
  ;[whole, interrupted] = await Promise.all([ends, longOne.ended])
}, 60_000)

afterAll(() => rm(home, { recursive: true, force: true }))

describe("obscura fleet", () => {
  test("holds: every clip is delivered, opened by its owner and by nobody else", () => {
    expect(whole.stderr).toContain("It held")
    expect(whole.code).toBe(0)
    const report = parseReport(whole.stdout)
    expect(report).toMatchObject({ seed: 7, exitCode: 0, cameras: { asked: 4, connected: 4, failed: 0 } })
    expect(report.clips.recorded).toBeGreaterThanOrEqual(4)
    expect(report.clips).toMatchObject({ delivered: report.clips.recorded, opened: report.clips.recorded })
    expect(report.segments).toMatchObject({ delivered: report.segments.sealed, dropped: 0 })
    expect(report.bytes.padding).toBeLessThan(report.bytes.sealed)
    expect(report.invariants.every(({ count, limit }) => count <= limit)).toBe(true)
  })

  test("lets everyone with access try, through all 21 checks, and says what they learn all the same", () => {
    const { checks = [], insiders = [], leakage = [] } = parseReport(whole.stdout)
    expect(checks.map(({ id }) => id)).toEqual(Array.from({ length: 21 }, (_, i) => `C${i + 1}`))
    expect(checks.filter(({ tries, violations }) => tries === 0 || violations > 0)).toEqual([])
    expect(insiders.length).toBeGreaterThan(10)
    expect(leakage.length).toBeGreaterThan(3)
  })

  test("prints the report alone on standard output, and ends with the line that repeats the run", async () => {
    expect(parseReport(whole.stdout)).toEqual(await readReport(join(home, "whole", "report.json")))
    expect(whole.stderr.trimEnd().split("\n").at(-1)).toMatch(
      /^seed 7 · commit \S+ · npm start -- --cameras 4 --seconds 8 --seed 7$/,
    )
  })

  test("leaves clips that were opened, and owners' keys for their eyes alone", async () => {
    expect((await readdir(join(home, "whole", "clips"))).length).toBeGreaterThanOrEqual(4)
    const own = join(home, "whole", "owners", "0", "identity.txt")
    expect((await stat(own)).mode & 0o777).toBe(0o600)
  })

  test.skipIf(judge("ffprobe") === null)("leaves clips that play", async () => {
    const clips = await readdir(join(home, "whole", "clips"))
    for (const clip of clips) {
      const args = ["-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames"]
      const probed = spawnSync("ffprobe", [...args, "-of", "csv=p=0", join(home, "whole", "clips", clip)], {
        encoding: "utf8",
      })
      expect(probed.stderr).toBe("")
      expect(probed.stdout).toMatch(/^h264,[1-9]\d+/)
    }
  })

  const opens = "leaves owners' keys that stock age opens their objects with, and nobody else's"
  test.skipIf(judge("age") === null)(opens, async () => {
    const owners = join(home, "whole", "owners")
    const [own, other] = [join(owners, "0", "identity.txt"), join(owners, "1", "identity.txt")]
    const device = /device ([0-9a-f]{40})/.exec(await readFile(own, "utf8"))?.[1] ?? ""
    const bucket = await readBucket(join(home, "whole", "bucket"))
    const id = bucket.manifests(device)[0]?.objects[0]?.id ?? ""
    const file = join(home, "object.age")
    await bucket.extract(id, file)
    const opened = spawnSync("age", ["-d", "-i", own, file])
    expect(opened.status).toBe(0)
    expect(opened.stdout.toString("latin1", 4, 8)).toBe("ftyp")
    expect(spawnSync("age", ["-d", "-i", other, file]).status).not.toBe(0)
  })

  test("ends in order on Ctrl-C: what was recorded is delivered, judged and reported", async () => {
    expect(interrupted.output).toContain("stopping")
    const report = await readReport(join(home, "interrupted", "report.json"))
    expect(report.clips.recorded).toBeGreaterThan(0)
    expect(report.clips.delivered).toBe(report.clips.recorded)
    expect(interrupted.code).toBe(0)
  })

  test("answers a wrong call with one line and exit code 2", async () => {
    const { code, stdout, stderr } = await obscura(home, "fleet", "--cameras", "0")
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^obscura: .*--cameras.*whole number.*\n$/)
  })

  test.each([
    ["--scenario full-disk", "virtual time has no fleet.spoolBytesMax, disk-full; leave out"],
    ["--scenario footage", 'virtual time has no arrivals "footage" without a share; leave out'],
    ["--set seconds=9", "--virtual does not go with --set"],
  ])("--virtual with %s is refused, for it needs real time", async (words, why) => {
    const { code, stderr } = await obscura(home, "fleet", "--virtual", ...words.split(" "))
    expect(code).toBe(2)
    expect(stderr).toContain(why)
  })

  test.each([
    ["--seconds soon", /--seconds.*whole number/],
    ["--seed -1", /--seed.*whole number/],
    ["--keep 0", /--keep.*whole number/],
    ["--colour red", /unknown option/],
    ["--out full", /full: is not empty/],
    ["--out no-film.mp4", /file is in the way/],
    ["--scene no-film.mp4", /no-film.mp4: .*film/],
    ["--scene missing.mp4", /missing.mp4: cannot be opened/],
    ["--motion 3s", /--motion goes with --scene/],
  ])("refuses %s and says what to do", async (args, why) => {
    await mkdir(join(home, "full"), { recursive: true })
    await writeFile(join(home, "full", "mine"), "")
    await writeFile(join(home, "no-film.mp4"), "not a film")
    const before = process.cwd()
    process.chdir(home)
    try {
      const command = fleetCommand()
        .exitOverride()
        .configureOutput({ writeErr: () => undefined })
      const refused = await command.parseAsync(args.split(" "), { from: "user" }).catch((error) => error)
      expect(refused instanceof CommanderError || isFault(refused)).toBe(true)
      expect(refused.message).toMatch(why)
      expect(refused.message).not.toContain("\n")
      expect(await readdir(home)).not.toContain("runs")
    } finally {
      process.chdir(before)
    }
  })
})
