import { afterEach, expect, test, vi } from "vitest"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { S3Door } from "../../../harness/cloud/s3-door.ts"
import { type Mistake, mutant } from "../../mutants.ts"
import { s3World } from "./s3-world.ts"

const at = s3World()
afterEach(() => {
  vi.useRealTimers()
})

type Door = typeof S3Door

async function wrongDoor(mistake: Omit<Mistake, "path">): Promise<Door> {
  const path = "harness/cloud/s3-door.ts"
  return (await mutant<{ S3Door: Door }>(path, { path, ...mistake })).S3Door
}

const asks: Readonly<Record<string, (door: S3Door) => Promise<unknown>>> = {
  "an object": (door) => door.get("there"),
  "a listing": (door) => door.list("").next(),
}

/** What is said of an answer whose second half does not come, unless somebody waits for very long. */
async function halfAnAnswer(TheDoor: Door, ask: (door: S3Door) => Promise<unknown>): Promise<unknown> {
  const door = new TheDoor(at.place, { within: 1_000, attempts: 1 })
  let letGo: () => void = () => undefined
  const restAfter = new Promise<void>((resolve) => {
    letGo = resolve
  })
  at.service.answer = () => ({ restAfter })
  const waitedLong = setTimeout(letGo, 5_000)
  const said = await ask(door).then(
    () => "all of it",
    (error: unknown) => error,
  )
  clearTimeout(waitedLong)
  letGo()
  door.close()
  return said
}

test.each([
  ["an object", "its answer stopped halfway"],
  ["a listing", "no answer in time"],
])(
  "%s of which half comes and then nothing is given up, and may be asked for again: %s",
  async (what, why) => {
    const ask = asks[what] ?? (() => Promise.reject(new Error(what)))
    const door = new S3Door(at.place)
    await door.put("there", Buffer.alloc(200_000))
    const error = await halfAnAnswer(S3Door, ask)
    expect(isFault(error, "unavailable") && !error.definite).toBe(true)
    expect(messageOf(error)).toMatch(new RegExp(`^bucket s3://clips/tests/place-\\d+: ${why}$`))
    at.service.answer = () => null
    await ask(door)
    door.close()
    const Patient = await wrongDoor({ from: "socketTimeout: patience.within", to: "socketTimeout: 0" })
    expect(await halfAnAnswer(Patient, ask)).toBe("all of it")
  },
)

/** Puts more than go at once, each of them answered nine tenths of its time after the service has heard of it. */
async function putMany(TheDoor: Door): Promise<{ readonly done: number; readonly atOnce: number }> {
  const count = 130
  const goes = 64
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  const door = new TheDoor(at.place, { within: 10_000, attempts: 1 })
  let held: (() => void)[] = []
  let atOnce = 0
  at.service.answer = () => new Promise((resolve) => void held.push(resolve))
  let done = 0
  let failed = 0
  for (let n = 0; n < count; n++)
    door.put(`object-${n}`, Buffer.alloc(10)).then(
      () => done++,
      () => failed++,
    )
  while (done + failed < count) {
    await new Promise((resolve) => setImmediate(resolve))
    atOnce = Math.max(atOnce, held.length)
    if (held.length < Math.min(goes, count - done - failed)) continue
    vi.advanceTimersByTime(9_000)
    for (const go of held) go()
    held = []
  }
  door.close()
  return { done, atOnce }
}

test("a request's time begins when it goes out, not while it waits in line behind others", async () => {
  expect(await putMany(S3Door)).toEqual({ done: 130, atOnce: 64 })
  const Hasty = await wrongDoor({ from: "this.#line.run(request)", to: "request()" })
  expect((await putMany(Hasty)).done).toBe(64)
})
