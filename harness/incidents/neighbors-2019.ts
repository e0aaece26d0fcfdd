import type { Incident } from "./incident.ts"

export const neighbors2019: Incident = {
  name: "neighbors-2019",
  title: "Posted for neighbours, used for anything",
  year: "2019",
  happened: [
    "By the terms, whoever posted a clip for neighbours had agreed to whatever the company does with it.",
  ],
  source: "Terms of Ring's Neighbors, 2019; their text is not at hand",
  wrong: "One button was read as consent to everything.",
  scenario:
    "An owner posts a clip. The labelling service is offered the post's own signed words and its file, by everybody who has them, and a labeller looks into the queue.",
  checks: ["C20"],
  mistakes: ["neighbors-2019"],
}
