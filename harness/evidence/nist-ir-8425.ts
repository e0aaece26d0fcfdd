import { checks, invariants, type Standard, tests } from "./provision.ts"

const PROCESS = "Of an organisation, not of a program."

/** Technical capabilities, then those of the developer. Titles are ours; the text is at NIST. */
export const NIST_IR_8425: Standard = {
  name: "NIST IR 8425",
  title: "NIST IR 8425, profile of the core baseline for consumer IoT products",
  provisions: [
    {
      ...{ id: "Asset Identification", title: "each part can be told from every other" },
      proofs: checks("name-is-key", "C18"),
    },
    {
      ...{ id: "Product Configuration", title: "settings are changed by who may, and there is a way back" },
      proofs: checks("tuned-by-owner", "tuned-within-bounds", "no-plain-option", "reset-is-complete"),
    },
    {
      ...{ id: "Data Protection", title: "what is stored and sent is protected, and can be deleted" },
      proofs: [
        ...checks("C1", "C2", "C6", "C16", "swapped-object"),
        ...invariants("clips opened by others", "canaries in plain"),
      ],
    },
    {
      ...{ id: "Interface Access Control", title: "only who may uses an interface" },
      proofs: [...checks("C4", "C9", "C10", "C14", "own-topics"), ...invariants("strangers let in")],
    },
    {
      ...{ id: "Software Update", title: "software is updated by a secure mechanism" },
      ...{
        proofs: [],
        note: "The camera has no update over the network yet: a new package is installed by hand.",
      },
    },
    {
      ...{ id: "Cybersecurity State Awareness", title: "what concerns security is noticed and recorded" },
      proofs: [
        ...checks("C5", "forced-traces", "beats-signed", "strangers-told"),
        ...invariants("alerts in chains of manifests"),
      ],
    },
    {
      ...{ id: "Documentation", title: "what concerns security is written down" },
      proofs: [...checks("C17"), ...tests("test/hardware/flash/deb.test.ts")],
      note: "That promises lead to tests, and the bill of materials.",
    },
    {
      id: "Information and Query Reception",
      title: "reports and questions are received",
      proofs: [],
      note: PROCESS,
    },
    {
      id: "Information Dissemination",
      title: "what concerns security is told to those concerned",
      proofs: [],
      note: PROCESS,
    },
    {
      id: "Product Education and Awareness",
      title: "users learn how to stay secure",
      proofs: [],
      note: PROCESS,
    },
  ],
}
