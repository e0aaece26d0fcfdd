import { z } from "zod"

/**
 * What can strike a fleet: one vocabulary for scenarios, reports and charts. Each strikes at `at`, counted in seconds
 * from the first camera's start, and holds for `for` seconds; what happens at one moment has no `for`.
 */

const moment = {
  /** Seconds from the first camera's start. */
  at: z
    .number()
    .min(0)
    .max(86_400 * 30),
}
const span = {
  ...moment,
  /** Seconds. */
  for: z
    .number()
    .gt(0)
    .max(86_400 * 30),
}
const struck = {
  /** Which part of the fleet, 0 to 1; who, the seed says. */
  share: z.number().gt(0).max(1).default(1),
}
const chance = z.number().min(0).max(1)
const milliseconds = z.number().min(0).max(600_000)

export const faultShape = z.discriminatedUnion("kind", [
  // The network of each camera that is struck
  z.strictObject({
    kind: z.literal("link"),
    ...span,
    ...struck,
    /** One way. */
    latencyMs: milliseconds.default(0),
    /** Added to the latency: anything up to it. */
    jitterMs: milliseconds.default(0),
    /**
     * How likely a packet of 1,400 bytes is lost. TCP shows it as a stall of `stallMs`; every hundredth loss resets
     * the connection.
     */
    loss: chance.default(0),
    stallMs: milliseconds.default(200),
    /** In each direction; null: no limit. */
    bytesPerSecond: z.number().gt(0).nullable().default(null),
    /** How likely a dial is refused. */
    refuse: chance.default(0),
  }),
  /** Nothing passes, connections break, dials fail. */
  z.strictObject({ kind: z.literal("partition"), ...span, ...struck }),
  /** Connections stand, and nothing passes. */
  z.strictObject({ kind: z.literal("stall"), ...span, ...struck }),
  /** The broker's end is gone, and nobody tells the camera. */
  z.strictObject({ kind: z.literal("half-open"), ...moment, ...struck }),
  /** Every connection breaks once. */
  z.strictObject({ kind: z.literal("cut"), ...moment, ...struck }),

  // The cloud
  /** It closes in order, and is back after `for`. */
  z.strictObject({ kind: z.literal("broker-restart"), ...span }),
  /** Its process is killed (SIGKILL), and is back after `for`. */
  z.strictObject({ kind: z.literal("broker-kill"), ...span }),
  /** Each write of its bucket takes so much longer. */
  z.strictObject({ kind: z.literal("cloud-slow"), ...span, latencyMs: milliseconds }),
  /** Writes of its bucket fail, so likely. */
  z.strictObject({ kind: z.literal("cloud-failing"), ...span, likely: chance.default(1) }),
  /** Its bucket has no room. */
  z.strictObject({ kind: z.literal("cloud-full"), ...span }),

  // The camera
  /** Off at any moment, on again after `for`. */
  z.strictObject({
    kind: z.literal("power-cut"),
    ...span,
    ...struck,
    /** How likely a write under way is there afterwards, whole, although nobody heard so. */
    torn: chance.default(0.5),
  }),
  z.strictObject({ kind: z.literal("disk-full"), ...span, ...struck }),
  z.strictObject({
    kind: z.literal("disk-slow"),
    ...span,
    ...struck,
    latencyMs: milliseconds.default(100),
    bytesPerSecond: z.number().gt(0).default(1_000_000),
  }),
  /** Real time is wrong by so much from then on. */
  z.strictObject({
    kind: z.literal("clock-jump"),
    ...moment,
    ...struck,
    seconds: z.number().min(-2e9).max(2e9),
  }),
  /** The camera does not know what time it is. */
  z.strictObject({ kind: z.literal("no-ntp"), ...span, ...struck }),
  /** Pictures go by, and nobody gets them. */
  z.strictObject({ kind: z.literal("lens-stall"), ...span, ...struck }),
  /** The encoder ends, again and again. */
  z.strictObject({ kind: z.literal("lens-dies"), ...span, ...struck }),
  /** Its bytes come in small pieces cut anywhere. */
  z.strictObject({ kind: z.literal("lens-splits"), ...span, ...struck }),

  // Others
  /** Somebody with the camera's own key connects under its name, so that the broker takes one for the other. */
  z.strictObject({ kind: z.literal("duplicate-client"), ...moment, ...struck }),
  /** Somebody with another key connects under the camera's name. */
  z.strictObject({ kind: z.literal("wrong-key"), ...moment, ...struck }),
])

export type ScenarioFault = z.infer<typeof faultShape>
export type FaultKindName = ScenarioFault["kind"]
export const FAULT_KINDS: readonly FaultKindName[] = faultShape.options.map(
  (option) => option.shape.kind.value,
)
