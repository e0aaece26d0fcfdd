import type { Incident } from "./incident.ts"

export const eufy2022: Incident = {
  name: "eufy-2022",
  title: '"Always encrypted"',
  year: "2022",
  happened: [
    "Cameras that were sold as always encrypted gave plain streams at addresses that could be guessed.",
    "Thumbnails and notifications were not protected as clips were.",
    "A server could ask a camera for plain media, and got it.",
  ],
  source: "Anker's answers to The Verge, early 2023",
  wrong:
    "What was promised of clips was not true of thumbnails, streams and requests, and nothing tied promise to test.",
  scenario:
    "A guesser scans for ports and asks them for addresses one might guess. A server asks a camera for plain media in ten ways. Thumbnails and summaries in the bucket are tried with every server key, canaries are looked for everywhere, and each promise in the documents is followed to its check.",
  checks: ["C2", "C14", "C15", "C16", "C17"],
  mistakes: [
    "eufy-2022-open-stream",
    "eufy-2022-plain-on-request",
    "eufy-2022-thumbnails",
    "always-encrypted",
  ],
}
