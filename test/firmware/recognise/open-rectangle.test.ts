import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { openRectangle } from "../../../firmware/recognise/open-rectangle.ts"
import { contains, type Polygon } from "../../../firmware/recognise/polygon.ts"
import { writeMotionDetection } from "../../../hardware/lens/motion-detection.ts"

const NEIGHBOUR: Polygon = [
  [0.7, 0],
  [1, 0],
  [1, 0.6],
]
const ALL: Polygon = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
]

function touched(masks: readonly Polygon[], place: ReturnType<typeof openRectangle>): boolean {
  if (place === null) return false
  for (let x = 0; x <= 40; x++)
    for (let y = 0; y <= 40; y++) {
      const [at, down] = [place.left + (place.width * x) / 40, place.top + (place.height * y) / 40]
      if (masks.some((mask) => contains(mask, at - 1e-9, down - 1e-9))) return true
    }
  return false
}

test("a lens that knows of no polygons looks for motion where nothing is masked, and as widely as it can", () => {
  expect(openRectangle([])).toEqual({ left: 0, top: 0, width: 1, height: 1 })
  const place = openRectangle([NEIGHBOUR])
  expect(touched([NEIGHBOUR], place)).toBe(false)
  expect((place?.width ?? 0) * (place?.height ?? 0)).toBeGreaterThan(0.65)
  const corners = [NEIGHBOUR, NEIGHBOUR.map(([x, y]): [number, number] => [1 - x, 1 - y])]
  expect(touched(corners, openRectangle(corners))).toBe(false)
  expect(openRectangle([ALL])).toBeNull()
})

test("and is told so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "obscura-mask-"))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { motion_detect } = JSON.parse(readFileSync(await writeMotionDetection(folder, [NEIGHBOUR]), "utf8"))
  const { roi_x: left, roi_y: top, roi_width: width, roi_height: height } = motion_detect
  expect({ left, top, width, height }).toEqual(openRectangle([NEIGHBOUR]))
  await expect(writeMotionDetection(folder, [ALL])).rejects.toThrow(/recognise.masks cover the whole picture/)
})
