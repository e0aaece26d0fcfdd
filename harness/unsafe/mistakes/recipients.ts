import type { Mistake } from "../mistake.ts"

const OWNERSHIP = "firmware/control/ownership.ts"
const CHECK = "harness/owner/household-check.ts"
const PROTOCOL = "firmware/control/protocol.ts"

export const recipients: readonly Mistake[] = [
  {
    id: "recipients-of-anybody",
    check: "owner-alone",
    says: "a server can add itself to those for whom a camera seals",
    patches: [
      {
        path: OWNERSHIP,
        from: 'verify("recipients", envelope, owner, recipientsShape)',
        to: '(verify, owner, recipientsShape.parse(JSON.parse(Buffer.from(JSON.parse(Buffer.from(envelope).toString()).payload, "base64").toString())))',
      },
    ],
  },
  {
    id: "any-mark",
    check: "owner-alone",
    says: "what lies on the disk was verified, for it lies there",
    patches: [{ path: OWNERSHIP, from: "const isKnown = ", to: "const isKnown = found !== null || " }],
  },
  {
    id: "another-cameras-recipients",
    check: "owner-alone",
    says: "recipients of one camera are good for another",
    patches: [{ path: OWNERSHIP, from: "if (signed.device !== device)", to: 'if (device === "")' }],
  },
  {
    id: "epoch-falls",
    check: "epoch-rises",
    says: "a cloud that kept an old statement brings a removed member back",
    patches: [
      {
        path: OWNERSHIP,
        from: "if (recipients.epoch <= now.recipients.epoch)",
        to: "if (recipients.epoch < 1)",
      },
    ],
  },
  {
    id: "epoch-in-memory",
    check: "epoch-rises",
    says: "a restart brings the first recipients back",
    patches: [{ path: OWNERSHIP, from: "await this.#disk.private.put(RECIPIENTS, [envelope])", to: "" }],
  },
  {
    id: "counts-unkept",
    check: "durable-before-it-counts",
    says: "a removal is confirmed that a power cut takes back",
    patches: [
      {
        path: OWNERSHIP,
        from: "await this.#disk.private.put(RECIPIENTS, [envelope])",
        to: "await this.#disk.private.put(RECIPIENTS, [envelope]).catch(() => undefined)",
      },
    ],
  },
  {
    id: "seals-as-it-booted",
    check: "seals-for-newest",
    says: "a camera seals for a removed member until somebody restarts it",
    patches: [
      {
        path: "firmware/camera.ts",
        from: "const seal = makeSeal(() => ownership.recipients)",
        to: "const seal = makeSeal(() => paired.recipients)",
      },
    ],
  },
  {
    id: "two-recipients",
    check: "public-keys-alone",
    says: "a second recipient may stand beside the household's",
    patches: [
      {
        path: PROTOCOL,
        from: 'keys: z.tuple([z.string().regex(/^age1(?:pq1)?[02-9ac-hj-np-z]{20,4000}$/, "not an age recipient")]),',
        to: 'keys: z.tuple([z.string().regex(/^age1(?:pq1)?[02-9ac-hj-np-z]{20,4000}$/, "not an age recipient")]).rest(z.string()),',
      },
    ],
  },
  {
    id: "low-order-recipient",
    check: "public-keys-alone",
    says: "a point of low order is taken, and every secret with it is zero",
    patches: [{ path: "firmware/delivery/age-x25519.ts", from: "  refuseLowOrder(recipient)\n", to: "" }],
  },
  {
    id: "confirmed-by-hope",
    check: "removal-confirmed",
    says: "a removal counts once it was signed, whether the camera has heard of it or not",
    patches: [{ path: CHECK, from: "confirmed >= newest.epoch", to: "true" }],
  },
  {
    id: "confirmed-by-number",
    check: "removal-confirmed",
    says: "a heartbeat confirms an epoch whose recipients nobody signed",
    patches: [
      {
        path: CHECK,
        from: "get(beat.recipients)?.epoch === beat.epoch ? beat.epoch : 0",
        to: "get(beat.recipients)?.epoch !== -1 ? beat.epoch : 0",
      },
    ],
  },
  {
    id: "late-unseen",
    check: "late-is-flagged",
    says: "nobody says which clips a removed member can still open",
    patches: [{ path: CHECK, from: "object.epoch === before.epoch", to: "object.epoch === epoch && false" }],
  },
  {
    id: "rotates-below",
    check: "rotation-is-fresh",
    says: "a rotation signs an epoch that its camera has passed, and is refused for ever",
    patches: [
      { path: "harness/owner/household-book.ts", from: "Math.max(seen, ...epochs", to: "Math.max(...epochs" },
    ],
  },
  {
    id: "keys-unlooked-at",
    check: "strangers-told",
    says: "a camera seals for somebody else's key, and its owner is not told",
    patches: [
      {
        path: CHECK,
        from: ".filter(({ recipients, epoch }) =>",
        to: ".filter(({ recipients, epoch }) => false &&",
      },
    ],
  },
  {
    id: "viewers-unlooked-at",
    check: "strangers-told",
    says: "somebody looks live by a grant that the owner never gave, and the owner is not told",
    patches: [{ path: CHECK, from: "!granted.has(grant)", to: "granted.has(grant)" }],
  },
]
