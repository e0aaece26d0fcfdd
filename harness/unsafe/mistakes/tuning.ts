import type { Mistake } from "../mistake.ts"

const TUNING = "firmware/control/tuning.ts"

export const tuning: readonly Mistake[] = [
  {
    id: "tuned-by-anybody",
    check: "tuned-by-owner",
    says: "whoever reaches the broker tunes a camera",
    patches: [
      {
        path: TUNING,
        from: 'const order = verify("tuning", envelope, ownership().owner, tuningShape)',
        to: 'const order = tuningShape.parse(JSON.parse(Buffer.from(JSON.parse(Buffer.from(envelope).toString()).payload, "base64").toString()))',
      },
    ],
  },
  {
    id: "tuned-for-another",
    check: "tuned-by-owner",
    says: "what was learnt of one camera tunes all of the household",
    patches: [{ path: TUNING, from: "order.device === device ? order : null", to: "order ?? device" }],
  },
  {
    id: "tuned-back",
    check: "tuned-forwards",
    says: "a cloud that kept an old word makes a camera forget what it learnt",
    patches: [{ path: TUNING, from: "order.number <= newest", to: "order.number < 0" }],
  },
  {
    id: "tuning-forgotten",
    check: "tuned-forwards",
    says: "a restart forgets what was learnt",
    patches: [{ path: TUNING, from: "    await this.#parts.disk.private.put(NAME, [envelope])\n", to: "" }],
  },
  {
    id: "tuned-blind",
    check: "tuned-within-bounds",
    says: "a tuning may exclude every spot, so one signed word makes a camera blind",
    patches: [{ path: TUNING, from: "BLIND_SPOTS_MAX = SPOTS / 2", to: "BLIND_SPOTS_MAX = SPOTS" }],
  },
  {
    id: "tuned-beyond",
    check: "tuned-within-bounds",
    says: "a tuning may raise a score until nobody reaches it",
    patches: [{ path: TUNING, from: "SHIFT_MAX = 0.3", to: "SHIFT_MAX = 1" }],
  },
]
