import type { Mistake } from "../mistake.ts"

const CHAIN = "firmware/delivery/manifest.ts"
const AGE = "firmware/delivery/age.ts"
const VAULT = "harness/owner/vault.ts"
const UPLOADS = "harness/cloud/uploads.ts"
const INGEST = "harness/cloud/ingest.ts"
const TAIL = "harness/owner/tail.ts"

export const manifest: readonly Mistake[] = [
  {
    id: "unlinked",
    check: "chain-links",
    says: "a manifest does not say which one came before it",
    patches: [{ path: CHAIN, from: "previous: this.#head,", to: "previous: NO_MANIFEST," }],
  },
  {
    id: "counts-anew",
    check: "chain-links",
    says: "sequence numbers begin anew with each boot",
    patches: [
      {
        path: "firmware/delivery/open-spool.ts",
        from: "    chain.advance(parcel.link)\n",
        to: "",
      },
    ],
  },
  {
    id: "header-unhashed",
    check: "hashes-of-objects",
    says: "a damaged header goes unnoticed, and with it the object is lost",
    patches: [
      { path: AGE, from: "headerHash: sha256Hex(header),", to: "headerHash: sha256Hex(new Uint8Array(0))," },
    ],
  },
  {
    id: "no-commitment",
    check: "hashes-of-objects",
    says: "the manifest does not say which file key is meant",
    patches: [{ path: AGE, from: "commit: commitOf(fileKey),", to: "commit: sha256Hex(header)," }],
  },
  {
    id: "payload-believed",
    check: "swapped-object",
    says: "a payload is not held against the camera's signature",
    patches: [
      {
        path: VAULT,
        from: "if (payload.length !== entry.payloadBytes || sha256Hex(payload) !== entry.payloadHash)",
        to: "if (payload.length < 0)",
      },
    ],
  },
  {
    id: "header-believed",
    check: "swapped-object",
    says: "a header is not held against the camera's signature",
    patches: [
      { path: VAULT, from: "if (sha256Hex(header) !== entry.headerHash)", to: "if (header.length < 0)" },
    ],
  },
  {
    id: "any-file-key",
    check: "key-commitment",
    says: "any file key that opens is taken for the one that was meant",
    patches: [
      {
        path: "harness/owner/open-age.ts",
        from: "if (commit !== undefined && commitOf(fileKey) !== commit)",
        to: 'if (commit !== undefined && commitOf(fileKey) === "")',
      },
    ],
  },
  {
    id: "adopts-any-head",
    check: "adopts-own-head",
    says: "a camera takes the cloud's word for where its chain stands",
    patches: [
      {
        path: CHAIN,
        from: 'const manifest = verify("manifest", envelope, this.#identity.key, manifestShape)',
        to: 'void verify; const manifest = manifestShape.parse({ ...JSON.parse(Buffer.from(JSON.parse(Buffer.from(envelope).toString()).payload, "base64").toString()), device: this.#identity.device })',
      },
    ],
  },
  {
    id: "adopts-none",
    check: "adopts-own-head",
    says: "a camera that lost its spool begins its chain anew, which looks like a second camera",
    patches: [
      {
        path: "firmware/delivery/spool.ts",
        from: "if (lastSequence(link.manifest) <= this.#chain.newest) return null",
        to: "if (link) return null",
      },
    ],
  },
  {
    id: "gap-refused",
    check: "gap-accepted",
    says: "the cloud waits for the missing link, and the camera's spool fills up",
    patches: [
      {
        path: UPLOADS,
        from: "if (refused !== null || this.#clashes(body)",
        to: "if (refused !== null || body.sequence > (this.#options.bucket.newest(device)?.to ?? -1) + 1 || this.#clashes(body)",
      },
    ],
  },
  {
    id: "fork-unsaid",
    check: "fork-kept",
    says: "two cameras with one key pass for one",
    patches: [{ path: UPLOADS, from: "if (bucket.isForked(stored))", to: "if (stored === null)" }],
  },
  {
    id: "vault-blind-to-forks",
    check: "fork-kept",
    says: "an owner is not told of a second manifest with one sequence",
    patches: [
      {
        path: "harness/owner/chain-view.ts",
        from: "alerts: [...alerts, ...forks(ordered), ...gaps(ordered, drops)]",
        to: "alerts: [...alerts, ...forks([]), ...gaps(ordered, drops)]",
      },
    ],
  },
  {
    id: "drops-in-silence",
    check: "drop-said",
    says: "a full spool drops payloads, and nobody is told",
    patches: [
      {
        path: "firmware/delivery/shelf.ts",
        from: "this.#onDrop({ from: sequence, to: sequence, cause })",
        to: "void sequence",
      },
    ],
  },
  {
    id: "drops-said-late",
    check: "drop-said",
    says: "the cloud is asked to wait for what was dropped before it hears of that",
    patches: [{ path: "firmware/delivery/parcel.ts", from: "lacks ? -sequence : sequence", to: "sequence" }],
  },
  {
    id: "loss-unseen",
    check: "fates",
    says: "what a cloud has signed for and lost looks as if it had never come",
    patches: [
      {
        path: VAULT,
        from: 'return receipted.has(listed.manifest) ? "lost by the cloud" : "not heard of"',
        to: 'return receipted.has("") ? "lost by the cloud" : "not heard of"',
      },
    ],
  },
  {
    id: "drop-unread",
    check: "fates",
    says: "what a camera dropped looks like the cloud's loss",
    patches: [
      {
        path: VAULT,
        from: "if (chain.drops.some(({ from, to }) => from <= listed.sequence && listed.sequence <= to))",
        to: "if (chain.drops.length < 0)",
      },
    ],
  },
  {
    id: "deaf-to-beats",
    check: "tail-withheld",
    says: "a hidden end of the chain looks like a camera that saw nothing",
    patches: [{ path: TAIL, from: "announced.newest > chain.newest)", to: "announced.newest < 0)" }],
  },
  {
    id: "forgets-what-was-shown",
    check: "tail-withheld",
    says: "a bucket that was put back to what it was is taken for all there is",
    patches: [{ path: TAIL, from: "shown: farther(shown, headOf(chain, now))", to: "shown: null" }],
  },
  {
    id: "old-beats",
    check: "beats-signed",
    says: "an old heartbeat is as good as a new one",
    patches: [
      {
        path: INGEST,
        from: 'if (latest?.boot === body.boot && body.number < latest.number) return "replayed"\n',
        to: "void latest\n",
      },
    ],
  },
  {
    id: "beats-of-anybody",
    check: "beats-signed",
    says: "whoever knows a mailbox can speak for its camera",
    patches: [
      {
        path: "harness/cloud/verified.ts",
        from: "const body = verify(kind, payload, key, shape)",
        to: 'void verify; const body = shape.parse(JSON.parse(Buffer.from(JSON.parse(payload.toString()).payload, "base64").toString()))',
      },
    ],
  },
]
