import type { Incident } from "./incident.ts"

export const ringPortal: Incident = {
  name: "ring-portal",
  title: "Live video for an e-mail address",
  year: "published 2023",
  happened: [
    "Executives and engineers had live video of some cameras through a support portal that wanted only the customer's e-mail address.",
    "Against it stood policy. Nothing let a customer see who had looked, and staff needed no second factor.",
  ],
  source:
    "Federal Trade Commission v. Ring LLC, 2023 (District of Columbia, 1:23-cv-01549), for looks without a trace and the second factor; for the portal no publication is at hand",
  wrong: "The company's credential was as good as the owner's, and a look left no trace for the owner.",
  scenario:
    "An executive with an e-mail address and every server key asks cameras for a live view in all the ways that a portal might. Staff without their second factor try to get in. Somebody looks with the owner's leave, and the owner verifies that there is one record of it.",
  checks: ["C4", "C5", "C7"],
  mistakes: ["ring-portal", "views-leave-no-record", "staff-without-second-factor"],
}
