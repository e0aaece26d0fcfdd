import { DATA_AND_RESILIENCE } from "./en-303-645-data.ts"
import { checks, invariants, type Provision, type Standard, tests } from "./provision.ts"

const NO_UPDATE = "The camera has no update over the network yet: a new package is installed by hand."
const PROCESS = "Of an organisation, not of a program."

const passwords: readonly Provision[] = [
  {
    ...{ id: "5.1-1", title: "no password that all devices share" },
    proofs: [...checks("name-is-key", "password-bound"), ...tests("test/hardware/flash/cloud-init.test.ts")],
    note: "A camera has no password of its own; a test compares two cards of a batch.",
  },
  {
    ...{ id: "5.1-2", title: "preinstalled unique passwords are not guessable" },
    proofs: checks("setup-text-dies", "C14"),
  },
  {
    ...{ id: "5.1-3", title: "authentication by sound cryptography" },
    proofs: checks("signature-holds", "small-order", "transcript-authenticated"),
  },
  {
    ...{ id: "5.1-4", title: "what authenticates a user can be changed easily" },
    proofs: checks("rotation-is-fresh", "reset-is-complete"),
  },
  {
    id: "5.1-5",
    title: "guessing over the network is impracticable",
    proofs: checks("setup-text-dies", "C14"),
  },
]

const vulnerabilities: readonly Provision[] = [
  { id: "5.2-1", title: "a published way to report vulnerabilities", proofs: [], note: PROCESS },
  { id: "5.2-2", title: "reports are acted on in time", proofs: [], note: PROCESS },
  {
    id: "5.2-3",
    title: "vulnerabilities are looked for while the product is supported",
    proofs: [],
    note: PROCESS,
  },
]

const updates: readonly Provision[] = [
  { id: "5.3-1", title: "software can be updated securely", proofs: [], note: NO_UPDATE },
  { id: "5.3-2", title: "updates are installed by a secure mechanism", proofs: [], note: NO_UPDATE },
  { id: "5.3-3", title: "updating is simple", proofs: [], note: NO_UPDATE },
  { id: "5.3-4", title: "updates come by themselves", proofs: [], note: NO_UPDATE },
  { id: "5.3-5", title: "the device looks for updates", proofs: [], note: NO_UPDATE },
  { id: "5.3-6", title: "automatic updates can be set by the user", proofs: [], note: NO_UPDATE },
  { id: "5.3-7", title: "updates by sound cryptography", proofs: [], note: NO_UPDATE },
  { id: "5.3-8", title: "security updates come in time", proofs: [], note: PROCESS },
  {
    ...{
      id: "5.3-9",
      title: "the device verifies updates: unsigned, altered, older and cut ones are refused",
    },
    ...{ proofs: [], note: NO_UPDATE },
  },
  {
    id: "5.3-10",
    title: "updates over a network are verified by a trust relation",
    proofs: [],
    note: NO_UPDATE,
  },
  { id: "5.3-11", title: "users hear of needed updates", proofs: [], note: NO_UPDATE },
  { id: "5.3-12", title: "users hear when an update interrupts", proofs: [], note: NO_UPDATE },
  { id: "5.3-13", title: "a published support period", proofs: [], note: PROCESS },
  { id: "5.3-14", title: "devices that cannot be updated: why, and for how long", proofs: [], note: PROCESS },
  { id: "5.3-15", title: "devices that cannot be updated can be isolated and replaced", proofs: [] },
  {
    id: "5.3-16",
    title: "the model can be recognised",
    proofs: tests("test/hardware/selftest-label.test.ts"),
  },
]

const parameters: readonly Provision[] = [
  {
    ...{ id: "5.4-1", title: "security parameters are stored securely" },
    proofs: [
      ...checks("root-wrapped"),
      ...tests("test/hardware/disk.test.ts", "test/hardware/flash/first-boot.test.ts"),
    ],
    note: "By file modes; a Pi has no secure element.",
  },
  {
    id: "5.4-2",
    title: "a hard-coded identity resists tampering",
    proofs: [],
    note: "The key lies on the card.",
  },
  { id: "5.4-3", title: "no critical parameter in the source", proofs: checks("ships-alone") },
  {
    ...{ id: "5.4-4", title: "parameters are unique per device" },
    proofs: [
      ...checks("name-is-key", "owner-per-camera"),
      ...tests("test/hardware/flash/cloud-init.test.ts"),
    ],
  },
]

const communication: readonly Provision[] = [
  {
    ...{ id: "5.5-1", title: "communication by sound cryptography" },
    proofs: [...checks("C2", "sealed-on-the-wire", "broker-pinned"), ...invariants("canaries in plain")],
  },
  {
    id: "5.5-2",
    title: "implementations that were reviewed",
    proofs: [],
    note: "Nobody from outside has reviewed it.",
  },
  { id: "5.5-3", title: "algorithms can be replaced", proofs: tests("test/harness/post-quantum.test.ts") },
  {
    ...{ id: "5.5-4", title: "no function over the network without authentication" },
    proofs: checks("C4", "only-by-grant", "own-topics", "viewers-by-grant"),
  },
  {
    ...{ id: "5.5-5", title: "no change of settings over the network without authentication" },
    proofs: checks("owner-alone", "tuned-by-owner", "left-at-the-camera", "C15"),
  },
  {
    ...{ id: "5.5-6", title: "critical parameters are encrypted in transit" },
    proofs: checks("C1", "transcript-authenticated"),
  },
  {
    ...{ id: "5.5-7", title: "critical parameters stay confidential at remote interfaces" },
    proofs: checks("C1", "C13"),
  },
  {
    id: "5.5-8",
    title: "critical parameters are managed securely",
    proofs: checks("C9", "rotation-is-fresh", "root-wrapped"),
  },
]

const surface: readonly Provision[] = [
  {
    ...{ id: "5.6-1", title: "unused interfaces are off" },
    proofs: [...checks("C14"), ...tests("test/hardware/program-words.test.ts")],
  },
  {
    ...{ id: "5.6-2", title: "no needless word to strangers on the network" },
    proofs: [...checks("C14", "says-nothing-in-public"), ...invariants("strangers let in")],
  },
  {
    id: "5.6-3",
    title: "no needless physical interface",
    proofs: [],
    note: "A Raspberry Pi has its connectors.",
  },
  { id: "5.6-4", title: "debug interfaces are off", proofs: tests("test/hardware/flash/deb.test.ts") },
  {
    id: "5.6-5",
    title: "services that are not needed are off",
    proofs: [...checks("C14"), ...tests("test/hardware/flash/card.test.ts")],
  },
  { id: "5.6-6", title: "no more code than is needed", proofs: checks("ships-alone") },
  {
    id: "5.6-7",
    title: "software runs with the least privilege",
    proofs: tests("test/hardware/program-unit.test.ts"),
  },
  { id: "5.6-8", title: "memory is protected by hardware", proofs: [], note: "By Linux, as it comes." },
  { id: "5.6-9", title: "secure development", proofs: [], note: PROCESS },
]

const integrity: readonly Provision[] = [
  { id: "5.7-1", title: "software is verified at boot", proofs: [], note: "There is no secure boot." },
  { id: "5.7-2", title: "a change of the software is told", proofs: [], note: "There is no secure boot." },
]

/** Every provision of clauses 5 and 6. Titles are ours; the standard's text is at ETSI. */
export const EN_303_645: Standard = {
  name: "EN 303 645",
  title: "ETSI EN 303 645, cyber security for consumer internet of things",
  provisions: [
    ...passwords,
    ...vulnerabilities,
    ...updates,
    ...parameters,
    ...communication,
    ...surface,
    ...integrity,
    ...DATA_AND_RESILIENCE,
  ],
}
