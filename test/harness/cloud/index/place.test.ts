import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { isFault } from "../../../../firmware/errors.ts"
import { IndexDatabase } from "../../../../harness/cloud/index/database.ts"
import { parseIndexPlace } from "../../../../harness/cloud/index/place.ts"

describe("where an index can be", () => {
  test.each([
    ["mysql://host/db", /it looks like a file's path/],
    ["postgres://", /it looks like|name a database/],
    ["postgres://u:s3cret@db.example.org/obscura", /add \?sslmode=verify-full/],
    ["postgres://u:s3cret@db.example.org/obscura?sslmode=disable", /add \?sslmode=verify-full/],
    ["postgres://u:s3cret@127.0.0.1:5432", /name a database/],
  ])("%s is refused in one line that repeats no password", (text, advice) => {
    try {
      parseIndexPlace(text)
      expect.unreachable()
    } catch (error) {
      expect(isFault(error, "usage") && error.message).toMatch(advice)
      expect(isFault(error) && error.message).not.toMatch(/s3cret/)
    }
  })

  test("no text makes the parser throw anything else", () => {
    expect(parseIndexPlace("./index.sqlite").engine).toBe("sqlite")
    expect(parseIndexPlace("postgres://u@db.example.org/obscura?sslmode=verify-full").name).toBe(
      "postgres://db.example.org/obscura",
    )
  })

  test.each([
    ["a folder that is none", "nowhere/index.sqlite", "usage"],
    ["a file that is something else", "other", "usage"],
  ])("%s is a wrong call", async (_what, name, kind) => {
    const folder = await mkdtemp(join(tmpdir(), "obscura-index-"))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    await writeFile(join(folder, "other"), "something else, and long enough to be taken for a database file")
    const opened = IndexDatabase.open({ engine: "sqlite", name, path: join(folder, name) })
    await expect(opened).rejects.toMatchObject({ kind })
  })
})
