import { checks, invariants, type Provision, tests } from "./provision.ts"

/** Clauses 5.8 to 5.13, and 6. */

const personalData: readonly Provision[] = [
  {
    ...{ id: "5.8-1", title: "personal data stays confidential in transit" },
    proofs: [...checks("C2", "C3", "C16"), ...invariants("canaries in plain")],
  },
  {
    ...{ id: "5.8-2", title: "sensitive personal data is protected between device and service" },
    proofs: [...checks("C1", "C13", "owner-only"), ...invariants("clips opened by others")],
  },
  {
    ...{ id: "5.8-3", title: "what senses the surroundings is documented, and shows when it does" },
    proofs: checks("C12", "light-and-chain-first"),
  },
]

const resilience: readonly Provision[] = [
  {
    ...{ id: "5.9-1", title: "outages of network and power are survived" },
    proofs: [
      ...checks("power-cut", "resumes-from-held"),
      ...invariants("clips lost", "cameras that did not recover"),
    ],
  },
  {
    ...{ id: "5.9-2", title: "it works without a network, and recovers cleanly" },
    proofs: [...checks("resumes-from-held", "gap-accepted"), ...invariants("cameras that did not recover")],
  },
  { id: "5.9-3", title: "reconnection is orderly", proofs: checks("C19") },
]

const telemetry: readonly Provision[] = [
  {
    ...{ id: "5.10-1", title: "what is reported is looked at for anomalies: gaps, cloned identities" },
    proofs: [
      ...checks("fork-kept", "tail-withheld", "strangers-told"),
      ...invariants("alerts in chains of manifests"),
    ],
  },
]

const deletion: readonly Provision[] = [
  {
    id: "5.11-1",
    title: "users can erase their data from the device",
    proofs: checks("reset-is-complete", "new-owner-empty"),
  },
  {
    ...{ id: "5.11-2", title: "users can remove their data from the services" },
    proofs: [
      ...checks("C6", "C21"),
      ...tests("test/harness/owner/delete-command.test.ts", "test/harness/cloud/deletion.test.ts"),
    ],
    note: "A cloud signs that it deleted; that it kept no copy nobody can show.",
  },
  {
    id: "5.11-3",
    title: "how to delete is explained",
    proofs: [],
    note: "In --help and in documents that nobody tests.",
  },
  {
    id: "5.11-4",
    title: "deletion is confirmed",
    proofs: tests("test/harness/owner/delete-command.test.ts"),
  },
]

const installation: readonly Provision[] = [
  {
    id: "5.12-1",
    title: "setting up takes few decisions",
    proofs: tests("test/hardware/program-pair.test.ts", "test/hardware/flash/first-boot.test.ts"),
  },
  { id: "5.12-2", title: "guidance to set up securely", proofs: [], note: "In documents that nobody tests." },
  {
    id: "5.12-3",
    title: "guidance to see whether it is set up securely",
    proofs: tests("test/hardware/selftest.test.ts"),
  },
]

const input: readonly Provision[] = [
  {
    ...{ id: "5.13-1", title: "input is validated: malformed input crashes nothing" },
    proofs: checks("fuzzed", "kinds-at-doors", "one-spelling", "verified-first", "bounded-packets"),
  },
]

const dataProtection: readonly Provision[] = [
  {
    id: "6-1",
    title: "what is done with personal data is told",
    proofs: checks("C17"),
    note: "That promises lead to tests; not that they are understood.",
  },
  { id: "6-2", title: "consent is given validly", proofs: checks("C20", "C21") },
  { id: "6-3", title: "consent can be withdrawn at any time", proofs: checks("C6", "C21") },
  {
    id: "6-4",
    title: "telemetry holds no more personal data than needed",
    proofs: checks("C3", "one-size", "says-nothing-in-public"),
  },
  {
    id: "6-5",
    title: "users know what telemetry is for",
    proofs: [],
    note: "In documents that nobody tests.",
  },
]

export const DATA_AND_RESILIENCE: readonly Provision[] = [
  ...personalData,
  ...resilience,
  ...telemetry,
  ...deletion,
  ...installation,
  ...input,
  ...dataProtection,
]
