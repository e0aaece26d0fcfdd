import type { Mistake } from "../mistake.ts"

export const recognition: readonly Mistake[] = [
  {
    id: "patient-with-eyes",
    check: "verdict-in-time",
    says: "whoever recognises is waited for, however long it takes",
    patches: [
      {
        path: "firmware/recognise/unless-aborted.ts",
        from: "const giveUp = () => resolve(null)",
        to: "const giveUp = () => undefined",
      },
    ],
  },
  {
    id: "late-is-nobody",
    check: "verdict-in-time",
    says: "what cannot be judged in time is dropped",
    patches: [
      {
        path: "firmware/recognise/recognise.ts",
        from: 'this.#decide({ keep: true, label: null, by: "too late" })',
        to: 'this.#decide({ keep: false, label: null, by: "too late" })',
      },
    ],
  },
]
