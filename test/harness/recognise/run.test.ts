import { describe, expect, test } from "vitest"
import { parseConfig } from "../../../firmware/config.ts"
import { Fault } from "../../../firmware/errors.ts"
import type { Box, Frame, Label } from "../../../firmware/ports.ts"
import { compareRuns } from "../../../harness/recognise/compare.ts"
import { shrunk } from "../../../harness/recognise/encode-still.ts"
import type { Input } from "../../../harness/recognise/inputs.ts"
import { labelsFromCsv } from "../../../harness/recognise/labels.ts"
import * as pages from "../../../harness/recognise/page/page.ts"
import { type RecogniseParts, recognise } from "../../../harness/recognise/recognise.ts"
import * as runs from "../../../harness/recognise/run.ts"
import { summaryText } from "../../../harness/recognise/summary.ts"
import { mutant } from "../../mutants.ts"

type Eyes = runs.Eyes
const { recognisePage } = pages

const { signal } = new AbortController()
const config = parseConfig()
const MODEL = { name: "nano.onnx", sha256: "ab".repeat(32), bytes: 3_660_092 }

const input = (name: string, kind: Input["kind"] = "picture"): Input => ({ path: `/x/${name}`, name, kind })
const frame = (at: number, luma = 100): Frame => ({
  ...{ at, width: 64, height: 48 },
  luma: new Uint8Array(64 * 48).fill(luma),
})
const box = (label: Label, score: number): Box => ({
  label,
  score,
  left: 0.1,
  top: 0.1,
  right: 0.4,
  bottom: 0.9,
})

/** Pictures show what their name says: "person-80.jpg" a person of 0.8. "broken" cannot be decoded. */
function eyes(hasModel = true): Eyes {
  let shown = ""
  return {
    picture: async (path) => {
      if (path.includes("broken")) throw new Fault("malformed", "broken.jpg: is damaged")
      shown = path
      return frame(0)
    },
    film: async () => ({
      duration: 4,
      damaged: 3,
      async *frames() {
        for (let second = 0; second < 4; second++) yield frame(second * 1_000)
      },
    }),
    still: async ({ at }) => ({ at: at / 1_000, width: 2, height: 2, jpeg: new Uint8Array([1, 2, 3]) }),
    detector: hasModel
      ? {
          detect: async () => {
            const [, label, score] = /(person|animal|vehicle)-(\d+)/.exec(shown) ?? []
            return label ? [box(label as Label, Number(score) / 100)] : []
          },
        }
      : null,
  }
}

function parts(names: readonly string[], labels: string | null, hasModel = true): RecogniseParts {
  return {
    ...{ inputs: names.map((name) => input(name, name.endsWith(".mp4") ? "film" : "picture")), failures: [] },
    ...{ config, eyes: eyes(hasModel), model: hasModel ? MODEL : null, now: new Date(0) },
    labels: labels === null ? null : labelsFromCsv(labels),
    onProgress: () => undefined,
  }
}

const LABELS = "file,labels\nperson-80.jpg,person\nperson-30.jpg,person\nempty.jpg,none\nperson-55.jpg,none"
const NAMES = ["person-80.jpg", "person-30.jpg", "empty.jpg", "person-55.jpg"]

describe("a run", () => {
  test("scores pictures at the camera's thresholds, and says how many empty ones became persons", async () => {
    const { run } = await recognise(parts(NAMES, LABELS), signal)
    expect(run.score?.pictures.tallies.person).toEqual({ right: 1, invented: 1, missed: 1 })
    expect(run.score?.empty).toEqual({ pictures: 2, falsePersons: 1 })
    expect(run.pictures[1]?.boxes).toMatchObject([{ score: 0.3, counts: false }])
    expect(summaryText(run, null)).toContain("1 missed, 1 invented.")
  })

  test("goes on where a file fails or is damaged, and says which", async () => {
    const { run } = await recognise(parts(["broken.jpg", "a.mp4", "person-80.jpg"], null), signal)
    expect(run.failures).toEqual([{ file: "broken.jpg", reason: "broken.jpg: is damaged" }])
    expect(run.warnings).toEqual(["a.mp4: 3 damaged pictures passed over"])
    expect([run.pictures.length, run.films.length]).toEqual([1, 1])
  })

  test("keeps a few stills of a film that does not say how long it is, from all over it", async () => {
    const endless: Eyes = {
      ...eyes(false),
      film: async () => ({
        ...{ duration: null, damaged: 0 },
        async *frames() {
          for (let second = 0; second < 1_000; second++) yield frame(second * 1_000)
        },
      }),
    }
    const { stills } = await recognise({ ...parts(["a.mp4"], null, false), eyes: endless }, signal)
    const times = (stills.get("a.mp4") ?? []).map(({ at }) => at)
    expect(times.length).toBeGreaterThan(90)
    expect(times.length).toBeLessThanOrEqual(360)
    expect(times.at(-1)).toBeGreaterThan(900)
  })

  test("names labels without a file, ten of them, and refuses labels that name none", async () => {
    const many = Array.from({ length: 14 }, (_, i) => `\ngone-${i}.jpg,none`).join("")
    const { run } = await recognise(parts(NAMES, LABELS + many), signal)
    expect(run.warnings).toHaveLength(11)
    expect(run.warnings.at(-1)).toBe("labels: and 4 more")
    await expect(recognise(parts(["other.jpg"], LABELS), signal)).rejects.toMatchObject({ kind: "usage" })
  })

  test("without a model says what it lacks, and scores no picture", async () => {
    const { run } = await recognise(parts(NAMES, LABELS, false), signal)
    expect(run.lacks).toHaveLength(1)
    expect([run.model, run.score?.pictures.labelled, run.cost.looks]).toEqual([null, 0, 0])
  })

  test("a film that is labelled none has its time counted as without anybody", async () => {
    const { run } = await recognise(parts(["wind.mp4"], "film,start,end,label\nwind.mp4,,,none"), signal)
    expect(run.score?.alone).toEqual({ seconds: 4, falsePersons: 0 })
  })

  test("compared with an earlier one, says what changed and whether anything is worse", async () => {
    const before = (await recognise(parts(NAMES, LABELS), signal)).run
    const now = { ...before, pictures: before.pictures.map((each) => ({ ...each })) }
    expect(compareRuns(before, now)).toMatchObject({ common: 4, differences: [], isWorse: false })
    const strict = {
      ...parts(NAMES, LABELS),
      config: parseConfig({ recognise: { minScore: { person: 0.9 } } }),
    }
    const compared = compareRuns(before, (await recognise(strict, signal)).run)
    expect(compared.isWorse).toBe(true)
    expect(compared.differences.map(({ file }) => file)).toEqual(["person-80.jpg", "person-55.jpg"])
  })
})

test("what is under a mask reaches neither the detector nor the page", async () => {
  const masks = [
    [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ],
  ]
  const settings = parseConfig({ recognise: { masks } })
  const brightest = async (from: Pick<typeof runs, "lookAt">) => {
    let most = 0
    const see = ({ luma }: Frame) => {
      most = Math.max(most, ...luma)
    }
    const seen: Eyes = {
      ...eyes(),
      still: async (shown) => {
        see(shown)
        return { at: 0, width: 2, height: 2, jpeg: new Uint8Array() }
      },
      detector: {
        detect: async (shown) => {
          see(shown)
          return []
        },
      },
    }
    const inputs = [input("a.jpg"), input("a.mp4", "film")]
    await from.lookAt(inputs, settings, seen, () => undefined, signal)
    return most
  }
  expect(await brightest(runs)).toBe(16)
  const open = await mutant<typeof runs>("harness/recognise/run.ts", {
    path: "harness/recognise/run.ts",
    from: "masks.apply(await eyes.picture(input.path))",
    to: "await eyes.picture(input.path)",
  })
  expect(await brightest(open)).toBe(100)
})

describe("the page", () => {
  test("needs nothing else: it loads nothing, and its policy allows no more than its own script and pictures", async () => {
    const { run, stills } = await recognise(parts([...NAMES, "a.mp4"], LABELS), signal)
    const page = recognisePage(run, stills, config.recognise.minScore, null)
    expect(page).toMatch(/default-src 'none'; img-src data:; .*script-src 'sha256-/)
    expect(page).not.toMatch(/(?:src|href)="(?!data:|#)/)
    expect(page).toContain("data:image/jpeg;base64,AQID")
    expect(page).toContain("person missed")
  })

  test("shows each picture that came out wrong, with what is wrong of it", async () => {
    const { run, stills } = await recognise(parts(NAMES, LABELS), signal)
    const shown = (from: Pick<typeof pages, "recognisePage">) => {
      const page = from.recognisePage(run, stills, config.recognise.minScore, null)
      return [
        ...page.matchAll(/<figure id="picture-(\d)" class="wrong">.*?<img .*?(\w+ (?:missed|invented))</gs),
      ]
    }
    const all = [
      ["1", "person missed"],
      ["3", "person invented"],
    ]
    expect(shown(pages).map(([, index, wrong]) => [index, wrong])).toEqual(all)
    const flattering = await mutant<typeof pages>("harness/recognise/page/page.ts", {
      path: "harness/recognise/page/page.ts",
      from: 'picturesSection("Pictures that came out wrong", wrong, stills)',
      to: '""',
    })
    expect(shown(flattering)).toHaveLength(0)
  })

  test("shows names of files as text, whatever is in them", async () => {
    const name = '<img src=x onerror="alert(1)">-person-80.jpg'
    const { run, stills } = await recognise(parts([name, `</script>${name}.mp4`], null), signal)
    const page = recognisePage(run, stills, config.recognise.minScore, null)
    expect(page).not.toContain("<img src=x")
    expect(page.match(/<\/script>/g)).toHaveLength(2)
    expect(summaryText({ ...run, failures: [] }, null)).not.toContain("\u001b")
  })

  test("says what is missing where there is no model, and compares where there is a run before", async () => {
    const { run, stills } = await recognise(parts(NAMES, LABELS, false), signal)
    const page = recognisePage(run, stills, config.recognise.minScore, compareRuns(run, run))
    expect(page).toContain("Missing here:")
    expect(page).toContain("They say the same of every file")
  })
})

test("a still is even-sided, as wide as it may be, and in full range", () => {
  const white = {
    ...frame(0, 235),
    chroma: { blue: new Uint8Array(32 * 24).fill(128), red: new Uint8Array(32 * 24).fill(240) },
  }
  const { width, height, planes } = shrunk(white, 21)
  expect([width, height, planes.length]).toEqual([22, 16, 22 * 16 * 1.5])
  expect([planes[0], planes[22 * 16], planes[22 * 16 * 1.25]]).toEqual([255, 128, 255])
  expect(shrunk({ at: 0, width: 1, height: 1, luma: new Uint8Array([16]) }, 100)).toMatchObject({
    width: 2,
    height: 2,
  })
})
