import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { labelsFromCoco } from "../../../harness/recognise/coco.ts"
import { labelsFromCsv } from "../../../harness/recognise/labels.ts"
import { fileNamed } from "../../../harness/recognise/name-match.ts"

const csv = (...lines: string[]) => labelsFromCsv(lines.join("\n"))

describe("labels as CSV", () => {
  test("a row for a picture says all that is in it, and what counts for nothing", () => {
    const { files } = csv(
      "\ufefffile,labels,ignore,scene",
      "a.jpg,person|animal,vehicle,x",
      "b.jpg,none,,",
      "",
    )
    expect(files.get("a.jpg")).toEqual({
      labels: new Set(["person", "animal"]),
      ignore: new Set(["vehicle"]),
    })
    expect(files.get("b.jpg")?.labels.size).toBe(0)
  })

  test("a row with times is an event of a film; none without times says that nothing comes by", () => {
    const { events, files } = csv(
      "film,start,end,label",
      "a.mp4,1,2.5,person",
      "a.mp4,4,5,vehicle",
      "wind.mp4,,,none",
    )
    expect(events.get("a.mp4")).toEqual([
      { start: 1, end: 2.5, label: "person" },
      { start: 4, end: 5, label: "vehicle" },
    ])
    expect(files.get("wind.mp4")?.labels.size).toBe(0)
  })

  test("a quoted cell begins its own line, also after one that ends with an empty cell", () => {
    const { files } = csv("file,labels,ignore", "a.jpg,none,", '"b.jpg",person')
    expect([...files.keys()]).toEqual(["a.jpg", "b.jpg"])
  })

  test("quoted cells may hold commas, quotes and line ends", () => {
    const { files } = csv("file,labels", '"a, ""b"".jpg",animal', '"two\nlines.jpg", person')
    expect([...files.keys()]).toEqual(['a, "b".jpg', "two\nlines.jpg"])
  })

  test.each([
    ["nothing at all", "", "it is empty"],
    ["no names", "labels\nperson", "line 1: no column says the files"],
    ["a word that is no label", "file,labels\na.jpg,persn", 'line 2: "persn" is none of'],
    ["a file labelled twice", "file,labels\na.jpg,none\na.jpg,person", "line 3: a.jpg is labelled twice"],
    ["an end before the start", "film,start,end,label\n\na.mp4,3,2,person", "line 3: start and end"],
    ["half a time", "film,start,end,label\na.mp4,3,,person", "line 2: start and end"],
    [
      "an event of two labels",
      "film,start,end,label\na.mp4,1,2,person|animal",
      "line 2: an event has one label",
    ],
    ["more cells than columns", "file,labels\na.jpg,person,animal", "line 2: 3 cells, but 2 columns"],
    ["a quote in the middle", 'file,labels\na"b.jpg,person', "line 2: a quote"],
    ["an open quote", 'file,labels\n"a.jpg,person', "line 2: a quote"],
  ])("%s is one line that names the place", (_name, text, says) => {
    expect(() => labelsFromCsv(text)).toThrow(says)
  })

  test("any text is labels or a Fault, and ends", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a,"|\n\r 1.'), maxLength: 60 }), (text) => {
        try {
          labelsFromCsv(`file,start,end,label\n${text}`)
        } catch (error) {
          expect(isFault(error, "malformed")).toBe(true)
        }
      }),
    )
  })
})

describe("labels as COCO JSON", () => {
  const coco = (categories: readonly object[], annotations: readonly object[]) =>
    labelsFromCoco(
      JSON.stringify({
        images: [
          { id: 1, file_name: "one.jpg" },
          { id: 2, file_name: "d/two.jpg" },
        ],
        annotations,
        categories,
      }),
    )

  test("categories count by name or supercategory, and a picture without annotations shows nothing", () => {
    const { files } = coco(
      [
        { id: 1, name: "dog", supercategory: "animal" },
        { id: 2, name: "ocelot", supercategory: "animal" },
        { id: 3, name: "chair", supercategory: "furniture" },
        { id: 4, name: "human" },
      ],
      [1, 2, 3, 4].map((category_id) => ({ image_id: 1, category_id, bbox: [0, 0, 1, 1] })),
    )
    expect(files.get("one.jpg")?.labels).toEqual(new Set(["animal", "person"]))
    expect(files.get("d/two.jpg")?.labels.size).toBe(0)
  })

  test("a category that nobody can place leaves its pictures out of the score, and is said", () => {
    const { files, warnings } = coco([{ id: 7, name: "odocoileus" }], [{ image_id: 2, category_id: 7 }])
    expect([...files.keys()]).toEqual(["one.jpg"])
    expect(warnings).toEqual([expect.stringContaining('"odocoileus" is not known')])
  })

  test.each(["", "{", "[]", '{"images":[{"id":1}],"annotations":[],"categories":[]}'])(
    "%j is refused",
    (text) => {
      expect(() => labelsFromCoco(text)).toThrow(expect.objectContaining({ kind: "malformed" }))
    },
  )
})

test("a label's name means the file whose path ends like it, and none where two end alike", () => {
  const given = ["/data/day/a.jpg", "/data/night/a.jpg", "/data/b.jpg"]
  expect(fileNamed("b.jpg", given)).toBe("/data/b.jpg")
  expect(fileNamed("night/a.jpg", given)).toBe("/data/night/a.jpg")
  expect(fileNamed("other/b.jpg", given)).toBe("/data/b.jpg")
  expect(fileNamed("a.jpg", given)).toBeNull()
  expect(fileNamed("c.jpg", given)).toBeNull()
})
