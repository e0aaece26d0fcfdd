import type { Incident } from "./incident.ts"

export const verkada2021: Incident = {
  name: "verkada-2021",
  title: "The support server that saw every camera",
  year: "2021",
  happened: [
    "A support server was taken over, and with it a role that opened the cameras of all customers.",
    "The portal asked staff why they looked. A single space was a reason.",
  ],
  source: "Complaint of the United States against Verkada, on the Federal Trade Commission's referral, 2024",
  wrong:
    "One role and one host were enough to see everything, and what was to hold them back could be left blank.",
  scenario:
    "A super-admin with a grant for one camera tries all others, and tries to end privacy mode from afar. The support host is given away whole: broker, keys and every message. A support agent asks with reasons that are none.",
  checks: ["C10", "C11", "C12", "C13"],
  mistakes: [
    "verkada-2021-super-admin",
    "verkada-2021-single-space",
    "privacy-ends-from-afar",
    "verkada-2021-support-host",
  ],
}
