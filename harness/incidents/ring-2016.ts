import type { Incident } from "./incident.ts"

export const ring2016: Incident = {
  name: "ring-2016",
  title: "One bucket with everybody's videos",
  year: "2016",
  happened: [
    "Every customer's video lay unencrypted in one bucket, which the research team could list and download.",
    'Encryption, it was said, "would be expensive" and "make the company less valuable".',
    "A database tied each video to its customer. Recognition took leaves, trees, animals and people for one another, so people watched and labelled footage from inside and outside homes.",
    "What was made of that footage, models too, had to go by the order of 2023.",
  ],
  source:
    "Federal Trade Commission v. Ring LLC, 2023 (District of Columbia, 1:23-cv-01549), for the access and the order; for bucket and quotations no publication is at hand",
  wrong: "Who had the bucket had the videos, and policy was all that stood before it.",
  scenario:
    "Four homes record a clip each. The research team gets the bucket, the database, every log and every server key, and tries each key on each object, looks for each picture's canary and for a way from an e-mail to a clip. The labelling service keeps what a consent allows, until it is withdrawn or expires.",
  checks: ["C1", "C2", "C3", "C6", "C21"],
  mistakes: ["ring-2016-plain-bucket", "ring-customer-number", "derived-models-stay", "indoor-by-default"],
}
