import { describe, expect, test } from "vitest"
import { seconds } from "../../firmware/units.ts"
import { printVisits, untilSomebody, walkBy } from "../../harness/commands/visit.ts"
import { loadScene, SCENES } from "../../simulator/footage.ts"
import { openHome } from "./home.ts"

describe("somebody who walks by", () => {
  test.each(SCENES)(
    "in %s waits until the scene shows them, for long enough to be recognised",
    async (name) => {
      const footage = await loadScene(name)
      const [visit] = footage.events.filter(({ label }) => ["person", "animal", "vehicle"].includes(label))
      const loop = footage.duration / 90_000
      for (let position = 0; position < loop; position += 0.1) {
        const wait = untilSomebody(footage, position)
        if (!visit) expect(wait).toBe(0)
        else {
          const at = (position + wait / 1_000) % loop
          expect(at).toBeGreaterThanOrEqual(visit.start - 1e-6)
          expect(at + 2).toBeLessThan(visit.end)
          expect(wait).toBeLessThan(seconds(loop))
        }
      }
    },
  )

  test("is recorded by a camera that keeps only what shows somebody, whenever they come", async ({
    onTestFinished,
  }) => {
    const footage = await loadScene("day-car")
    const home = await openHome({ board: { footage, eyes: "truth" } })
    onTestFinished(() => home.close())
    await home.pair()
    const stop = home.run()
    await home.line(({ event }) => event === "connected")
    await walkBy(home.board, footage, home.visitor, new AbortController().signal, () => undefined)
    await home.line(({ event }) => event === "clip recorded")
    await stop()
    expect(home.lines.some(({ event }) => event === "clip discarded")).toBe(false)
  }, 40_000)

  test("is told in words when that is", async () => {
    expect(printVisits(await loadScene("day-person"))).toBe("1.8 s to 8.6 s")
    expect(printVisits(await loadScene("quiet-day"))).toBe("")
  })
})
