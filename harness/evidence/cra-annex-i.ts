import { checks, invariants, type Provision, type Standard, tests } from "./provision.ts"

const NO_UPDATE = "The camera has no update over the network yet: a new package is installed by hand."
const PROCESS = "Of a manufacturer, not of a program."

const properties: readonly Provision[] = [
  { id: "I(1)", title: "security that fits the risks", proofs: [], note: PROCESS },
  { id: "I(2)(a)", title: "no known exploitable vulnerability", proofs: [], note: PROCESS },
  {
    ...{ id: "I(2)(b)", title: "secure by default, and a way back to the original state" },
    proofs: checks("C21", "no-plain-option", "reset-is-complete"),
  },
  { id: "I(2)(c)", title: "vulnerabilities can be mended by updates", proofs: [], note: NO_UPDATE },
  {
    ...{ id: "I(2)(d)", title: "no access without authority, and attempts are reported" },
    proofs: [
      ...checks("C4", "C7", "C9", "C10", "C11", "C18", "only-by-grant"),
      ...invariants("strangers let in"),
    ],
  },
  {
    ...{ id: "I(2)(e)", title: "confidentiality of what is stored and sent" },
    proofs: [
      ...checks("C1", "C2", "C13", "C16", "owner-only"),
      ...invariants("clips opened by others", "canaries in plain"),
    ],
  },
  {
    ...{ id: "I(2)(f)", title: "integrity of data, commands and settings, and corruption is reported" },
    proofs: [
      ...checks("signature-holds", "swapped-object", "chain-links", "tail-withheld"),
      ...invariants("clips that differ"),
    ],
    note: "Of programs there is no verification at boot.",
  },
  {
    id: "I(2)(g)",
    title: "no more data than needed",
    proofs: checks("C3", "one-size", "held-until-verdict"),
  },
  {
    ...{ id: "I(2)(h)", title: "what is essential stays available, also under attack" },
    proofs: [
      ...checks("power-cut", "bounded-packets", "fuzzed", "withheld-upload"),
      ...invariants("clips lost"),
    ],
  },
  { id: "I(2)(i)", title: "no harm to the availability of others", proofs: checks("C19") },
  {
    id: "I(2)(j)",
    title: "few surfaces to attack",
    proofs: [...checks("C14", "ships-alone"), ...tests("test/hardware/program-unit.test.ts")],
  },
  {
    ...{ id: "I(2)(k)", title: "an incident has little impact" },
    proofs: checks("C1", "C8", "C13", "owner-per-camera", "fresh-file-key"),
  },
  {
    ...{ id: "I(2)(l)", title: "what happens is recorded, for whom it concerns" },
    proofs: checks("C5", "forced-traces", "record-changed-found", "fork-and-rollback-found"),
  },
  {
    ...{ id: "I(2)(m)", title: "users can remove data and settings for good" },
    proofs: [
      ...checks("C6", "reset-is-complete", "new-owner-empty"),
      ...tests("test/harness/owner/delete-command.test.ts"),
    ],
  },
]

const handling: readonly Provision[] = [
  {
    ...{ id: "II(1)", title: "components are listed in a bill of materials" },
    proofs: tests("test/harness/bundle.test.ts", "test/hardware/flash/deb.test.ts"),
    note: "Components, not their vulnerabilities.",
  },
  { id: "II(2)", title: "vulnerabilities are mended without delay", proofs: [], note: PROCESS },
  {
    id: "II(3)",
    title: "security is tested regularly",
    proofs: checks("fuzzed"),
    note: "Each submission runs every check and every mistake.",
  },
  { id: "II(4)", title: "mended vulnerabilities are published", proofs: [], note: PROCESS },
  { id: "II(5)", title: "a policy of coordinated disclosure", proofs: [], note: PROCESS },
  { id: "II(6)", title: "an address to report to", proofs: [], note: PROCESS },
  { id: "II(7)", title: "updates are distributed securely", proofs: [], note: NO_UPDATE },
  { id: "II(8)", title: "security updates are free, in time and explained", proofs: [], note: PROCESS },
]

/** Parts I and II of Annex I. Titles are ours; the text is in the Official Journal. */
export const CRA_ANNEX_I: Standard = {
  name: "CRA Annex I",
  title: "Cyber Resilience Act, Regulation (EU) 2024/2847, Annex I",
  provisions: [...properties, ...handling],
}
