import { z } from "zod"
import { type Polygon, polygonFlaw } from "./polygon.ts"

/** How a camera decides what is worth a clip. Part of its configuration. */

/** Fractions of the picture, from left and top; at least three corners, and an area. */
const polygon = z
  .array(z.tuple([z.number(), z.number()]))
  .min(3, "a polygon has at least 3 corners")
  .max(64, "a polygon has at most 64 corners")
  .superRefine((corners, context) => {
    const flaw = polygonFlaw(corners)
    if (flaw !== null) context.addIssue({ code: "custom", message: flaw })
  })
  .transform((corners): Polygon => corners)

const label = z.enum(["person", "animal", "vehicle"])
const score = z.number().gt(0).max(1)

export const recogniseShape = z
  .strictObject({
    /** From which score on a detector's box counts. */
    minScore: z
      .strictObject({
        person: score.default(0.4),
        animal: score.default(0.4),
        vehicle: score.default(0.4),
      })
      .prefault({}),
    /** For whom a clip is kept. */
    labels: z
      .array(label)
      .min(1, "name at least one of person, animal, vehicle")
      .default(["person", "animal", "vehicle"]),
    /** The detector is asked at most this often: milliseconds. */
    detectEvery: z.number().min(100).max(5_000).default(1_000),
    /** A visitor counts who stands, by the middle of the box's lower edge, in one of these. None: anywhere. */
    zones: z
      .array(z.strictObject({ corners: polygon, labels: z.array(label).min(1).optional() }))
      .max(16)
      .default([]),
    /** What is inside is black for recognition and thumbnails. The film itself shows it: `README.md` says why. */
    masks: z.array(polygon).max(16).default([]),
  })
  .prefault({})

export type RecogniseSettings = z.output<typeof recogniseShape>
