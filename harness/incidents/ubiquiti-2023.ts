import type { Incident } from "./incident.ts"

export const ubiquiti2023: Incident = {
  name: "ubiquiti-2023",
  title: "Somebody else's cameras in one's own account",
  year: "2023",
  happened: [
    "People who opened their own account saw consoles and cameras of others, and could command them.",
  ],
  source:
    "Reports of Ubiquiti's customers, December 2023; the cause is not at hand, and what runs here supposes a configuration",
  wrong: "Whose camera it was, the servers alone said, and cameras and apps believed it.",
  scenario:
    "Everything that a configuration says is swapped: sessions under another's name, another owner's commands and asks brought to a camera, one camera's answers brought to another owner's app, one's mailbox shown to the other. Then the wrong owners try what they were given.",
  checks: ["C18"],
  mistakes: ["ubiquiti-2023"],
}
