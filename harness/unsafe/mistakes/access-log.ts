import type { Mistake } from "../mistake.ts"

const LOG = "harness/owner/log.ts"
const SESSIONS = "harness/cloud/log/live-sessions.ts"
const RECORDS = "harness/cloud/log/records.ts"

export const accessLog: readonly Mistake[] = [
  {
    id: "fork-unfound",
    check: "fork-and-rollback-found",
    says: "an owner believes any longer log to be the old one grown",
    patches: [
      {
        path: LOG,
        from: "return provesConsistency(earlier, now, await consistencyProof(tree, earlier.size, now.size))",
        to: "return (void tree, earlier.size <= now.size)",
      },
    ],
  },
  {
    id: "rollback-unfound",
    check: "fork-and-rollback-found",
    says: "a log that went back to before a look is taken as it is",
    patches: [
      {
        path: LOG,
        from: "if (earlier.size > now.size) return false",
        to: "if (earlier.size > now.size) return true",
      },
    ],
  },
  {
    id: "inclusion-unproven",
    check: "record-changed-found",
    says: "a record is believed because it is shown",
    patches: [
      {
        path: LOG,
        from: "return provesInclusion({ index, size }, leafHash(commitment), proof, root)",
        to: "return proof.length >= 0 || root.length > size || index < 0 || leafHash(commitment) === null",
      },
    ],
  },
  {
    id: "anybodys-checkpoint",
    check: "pinned-log-key",
    says: "a checkpoint counts, whoever signed it",
    patches: [
      {
        path: "harness/cloud/log/checkpoint.ts",
        from: "  verifyNote(note, { name: origin, type: SIGNATURE_TYPE.ed25519, key })\n",
        to: "",
      },
    ],
  },
  {
    id: "traces-unasked",
    check: "forced-traces",
    says: "nobody holds the log against what was signed",
    patches: [
      {
        path: LOG,
        from: 'if (!known.has(trace)) alerts.add({ kind: "not logged", device, trace })',
        to: 'if (known.has("")) alerts.add({ kind: "not logged", device, trace })',
      },
    ],
  },
  {
    id: "sessions-unlogged",
    check: "session-logged-before-taken",
    says: "a cloud takes in what a camera says of live sessions, and records none",
    patches: [
      { path: SESSIONS, from: 'entry.kind === "live"', to: 'entry.kind === "live" && entry.viewer === ""' },
    ],
  },
  {
    id: "logged-afterwards",
    check: "session-logged-before-taken",
    says: "the manifest is taken in first, and a crash forgets the record",
    patches: [
      { path: SESSIONS, from: "await logAll(record.device, begun)", to: "await bucket.store(record)" },
    ],
  },
  {
    id: "append-unsynced",
    check: "append-is-durable",
    says: "an entry counts while it is still in a buffer",
    patches: [
      {
        path: "harness/cloud/log/journal.ts",
        from: "      await this.#file.datasync()\n    } catch (error) {\n      this.#failed",
        to: "      void this.#file.datasync()\n    } catch (error) {\n      this.#failed",
      },
    ],
  },
  {
    id: "split-unfound",
    check: "split-view-found",
    says: "two owners whose logs differ are told that all is well",
    patches: [
      {
        path: "harness/owner/log-compare.ts",
        from: "if (size === ours.size) return equal(root, ours.root) ?",
        to: "if (size === ours.size) return size === ours.size ?",
      },
    ],
  },
  {
    id: "witness-signs-all",
    check: "witness-signs-no-fork",
    says: "a witness signs what it is shown",
    patches: [
      {
        path: "harness/cloud/log/witness.ts",
        from: "if (!provesConsistency(before, { size, root }, proof))",
        to: "if (proof.length > 63)",
      },
    ],
  },
  {
    id: "unsalted",
    check: "says-nothing-in-public",
    says: "whoever guesses a record finds it in the public tree",
    patches: [
      {
        path: "harness/cloud/log/publication.ts",
        from: "const salts = randomBytes(SALT_BYTES * records.length)",
        to: "void randomBytes; const salts = Buffer.alloc(SALT_BYTES * records.length)",
      },
    ],
  },
  {
    id: "space-for-a-reason",
    check: "reason-wanted",
    says: "a single space is a reason",
    patches: [
      { path: RECORDS, from: "/\\S/.test(text) && !/\\p{C}/u.test(text)", to: "!/\\p{C}/u.test(text)" },
    ],
  },
]
