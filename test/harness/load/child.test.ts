import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { Child } from "../../../harness/load/child.ts"

describe("a process of the harness", () => {
  let child: Child<{ readonly kind: "echo" | "fail" | "die" }, { readonly kind: "echoed" }>
  beforeEach(async () => {
    child = new Child("test", new URL("./dying-process.ts", import.meta.url))
    const echoed = child.next("echoed")
    child.send({ kind: "echo" })
    await echoed
  })
  afterEach(() => child.end())

  test("that dies fails all who wait for it, and says how it died", async () => {
    const waiting = child.next("echoed")
    child.send({ kind: "die" })
    await expect(waiting).rejects.toThrow(/the test process ended too soon \(SIGKILL\)/)
    await expect(child.next("echoed")).rejects.toThrow(/SIGKILL/)
  })

  test("that fails says why", async () => {
    const waiting = child.next("echoed")
    child.send({ kind: "fail" })
    await expect(waiting).rejects.toThrow(/the test process failed: a mistake of its own/)
  })

  test("is gone when its end was asked for", async () => {
    await child.end()
    await expect(child.death).rejects.toThrow(/exit code 0/)
  })
})
