import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { fsDisk } from "../../hardware/disk.ts"
import { root, TYPESCRIPT } from "../support.ts"

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "obscura-disk-"))
})
afterEach(async () => {
  await rm(directory, { recursive: true })
})

/** A program of its own over the disk at `directory`. */
const program = (body: string) => [
  "--import",
  TYPESCRIPT,
  "--input-type=module",
  "--eval",
  `import { fsDisk } from ${JSON.stringify(join(root, "hardware/disk.ts"))}
   const disk = await fsDisk(${JSON.stringify(directory)})
   ${body}`,
]

test("a put cut in half is never listed, and the killed process's lock holds nobody up", async () => {
  const size = 32 * 1024 * 1024
  const writer = spawn(
    process.execPath,
    program(`
      for (let i = 0; ; i++) {
        await disk.put("entry-" + i % 3, [Buffer.alloc(${size}, i)])
        process.stdout.write(i + "\\n")
      }`),
    { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
  )
  await once(writer.stdout, "data")
  // The next put has begun; wait until its file is there, in the making.
  while (!(await readdir(join(directory, "data"))).some((name) => name.startsWith("_"))) await nextTurn()
  writer.kill("SIGKILL")
  await once(writer, "exit")

  const disk = await fsDisk(directory)
  const entries = await disk.list("")
  expect(entries.length).toBeGreaterThan(0)
  for (const { name, size: listed } of entries) {
    expect(listed).toBe(size)
    const bytes = await disk.get(name)
    expect(bytes?.every((byte) => byte === bytes[0])).toBe(true)
  }
  expect(await readdir(join(directory, "data"))).toEqual(entries.map((entry) => entry.name))
  await disk.close()
})

test("a full disk refuses, definitely, and leaves what was there", () => {
  // A limit on the size of a file stands in for a small disk: its error is EFBIG instead of ENOSPC.
  const output = execFileSync(
    "sh",
    [
      "-c",
      'ulimit -f 100; exec "$0" "$@"',
      process.execPath,
      ...program(`
        await disk.put("a", [Buffer.from("old")])
        const fault = await disk.put("a", [Buffer.alloc(1_000), Buffer.alloc(1_000_000)]).catch((error) => error)
        const there = (await disk.get("a")).toString()
        console.log(JSON.stringify({ kind: fault.kind, definite: fault.definite, there, list: await disk.list("") }))
        await disk.close()`),
    ],
    { cwd: root, encoding: "utf8" },
  )
  expect(JSON.parse(output)).toEqual({
    kind: "full",
    definite: true,
    there: "old",
    list: [{ name: "a", size: 3 }],
  })
})

test("a directory in use is refused, naming the process, and free again after close", async () => {
  const disk = await fsDisk(directory)
  await expect(fsDisk(directory)).rejects.toThrow(`is in use by process ${process.pid}`)
  await expect(fsDisk(directory)).rejects.toEqual(expect.objectContaining({ kind: "usage", definite: true }))
  await disk.close()
  await (await fsDisk(directory)).close()
})

test("of many that open at once, one gets the directory", async () => {
  const opened = await Promise.allSettled(Array.from({ length: 8 }, () => fsDisk(directory)))
  const got = opened.filter((result) => result.status === "fulfilled")
  expect(got).toHaveLength(1)
  for (const { value } of got) await value.close()
  expect((await readdir(directory)).sort()).toEqual(["data", "private"])
})

test.each(["999999999 -\n", `${process.pid} another-boot/17\n`, "1 another-boot/17\n", "", "rubbish"])(
  "a stale lock is taken over: %j",
  async (lock) => {
    await writeFile(join(directory, "lock"), lock)
    const disk = await fsDisk(directory)
    expect(await readFile(join(directory, "lock"), "utf8")).toMatch(new RegExp(`^${process.pid} `))
    await disk.close()
  },
)

test("nobody but its user can read the state", async () => {
  const state = join(directory, "state")
  const disk = await fsDisk(state)
  await disk.put("a", [Buffer.from("x")])
  await disk.private.put("identity", [Buffer.from("x")])
  const modeOf = async (path: string) => (await stat(join(state, path))).mode & 0o777
  for (const path of ["", "data", "private"]) expect(await modeOf(path)).toBe(0o700)
  for (const path of ["data/a", "private/identity", "lock"]) expect(await modeOf(path)).toBe(0o600)
  await disk.close()
})

test("what other programs left in the folder is no entry", async () => {
  await mkdir(join(directory, "data", "folder"), { recursive: true })
  await writeFile(join(directory, "data", ".hidden"), "")
  await writeFile(join(directory, "data", "UPPER"), "")
  await writeFile(join(directory, "data", "_12"), "half")
  const disk = await fsDisk(directory)
  expect(await disk.list("")).toEqual([])
  expect(await readdir(join(directory, "data"))).not.toContain("_12")
  await disk.close()
})

test("a file where the folder should be is an error that says so", async () => {
  const path = join(directory, "file")
  await writeFile(path, "")
  const inTheWay = expect.objectContaining({ kind: "usage", definite: true })
  await expect(fsDisk(path)).rejects.toEqual(inTheWay)
  await expect(fsDisk(join(path, "below"))).rejects.toEqual(inTheWay)
})

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
