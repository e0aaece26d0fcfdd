import type { Mistake } from "../mistake.ts"

const ACCESS = "harness/cloud/access.ts"
const PAIRING = "firmware/control/pairing.ts"
const PAIR = "firmware/control/pair-camera.ts"
const SPENT = "firmware/control/spent-codes.ts"
const IDENTITY = "firmware/control/identity.ts"
const KEYS = "harness/owner/keys.ts"
const RECOVERY = "harness/owner/recovery.ts"

export const identity: readonly Mistake[] = [
  {
    id: "password-elsewhere",
    check: "password-bound",
    says: "whoever runs another broker can log in as its visitors",
    patches: [{ path: ACCESS, from: "      body.broker === broker &&\n", to: "" }],
  },
  {
    id: "password-unbound",
    check: "password-bound",
    says: "a password that was overheard is good on another connection",
    patches: [{ path: ACCESS, from: "body.binding === binding", to: 'broker !== ""' }],
  },
  {
    id: "client-id-free",
    check: "password-bound",
    says: "any client id goes with any password, so that one camera is taken for another",
    patches: [
      { path: ACCESS, from: "      body.client === client &&\n      key.id === client &&\n", to: "" },
    ],
  },
  {
    id: "role-free",
    check: "password-bound",
    says: "a camera can say that it is an owner",
    patches: [{ path: ACCESS, from: "      body.role === user &&\n", to: "" }],
  },
  {
    id: "shared-secret",
    check: "name-is-key",
    says: "every camera leaves the factory with one key",
    patches: [{ path: IDENTITY, from: ": randomBytes(32)\n", to: ": Buffer.alloc(32, 7)\n" }],
  },
  {
    id: "introduces-others",
    check: "name-is-key",
    says: "whoever comes first under a name has it",
    patches: [
      {
        path: "harness/cloud/ingest.ts",
        from: "return key.id === device ? key : null",
        to: 'return device !== "" ? key : null',
      },
    ],
  },
  {
    id: "unauthenticated-pairing",
    check: "transcript-authenticated",
    says: "the broker may change what camera and owner tell each other",
    patches: [
      {
        path: PAIRING,
        from: 'if (!timingSafeEqual(mac(step, key, bytes), Buffer.from(sealed.mac, "hex")))',
        to: "if (timingSafeEqual(mac(step, key, bytes), Buffer.alloc(32)))",
      },
    ],
  },
  {
    id: "hello-unquoted",
    check: "transcript-authenticated",
    says: "an offer for one camera is good for another",
    patches: [{ path: PAIRING, from: "if (quoted !== sha256Hex(hello))", to: 'if (quoted === "")' }],
  },
  {
    id: "pairing-respelt",
    check: "transcript-authenticated",
    says: "one message of a pairing has many spellings, of which each side hashes another",
    patches: [
      {
        path: PAIRING,
        from: '(text) => Buffer.from(text, "base64").toString("base64") === text',
        to: '(text) => text !== ""',
      },
    ],
  },
  {
    id: "guesses-without-end",
    check: "setup-text-dies",
    says: "a camera listens on after five wrong offers",
    patches: [{ path: PAIR, from: "failures < FAILURES_MAX &&", to: "" }],
  },
  {
    id: "setup-text-again",
    check: "setup-text-dies",
    says: "a setup text that was photographed is good again later",
    patches: [{ path: SPENT, from: "if (spent.includes(rendezvous)) return false", to: "" }],
  },
  {
    id: "spent-in-memory",
    check: "setup-text-dies",
    says: "a restart forgets which setup texts were used",
    patches: [{ path: SPENT, from: "await this.#disk.private.put(NAME", to: "void (NAME" }],
  },
  {
    id: "setup-text-for-ever",
    check: "setup-text-dies",
    says: "a setup text that nobody used stays good",
    patches: [
      {
        path: PAIR,
        from: "const cancel = clock.after(PAIRING_WITHIN, close)",
        to: "const cancel = clock.after(PAIRING_WITHIN * 100, close)",
      },
    ],
  },
  {
    id: "reset-spool-first",
    check: "reset-is-complete",
    says: "a power cut in a reset leaves the old name with a new chain",
    patches: [
      {
        path: IDENTITY,
        from: "  await disk.private.remove(NAME)\n  for (const area of [disk.private, disk])",
        to: "  for (const area of [disk, disk.private])",
      },
    ],
  },
  {
    id: "reset-keeps-spool",
    check: "reset-is-complete",
    says: "a camera that is given away takes its clips along",
    patches: [
      {
        path: IDENTITY,
        from: "for (const area of [disk.private, disk])",
        to: "for (const area of [disk.private])",
      },
    ],
  },
  {
    id: "same-name-after-reset",
    check: "new-owner-empty",
    says: "a camera that is sold keeps its mailbox, and the buyer sees what is in it",
    patches: [
      {
        path: IDENTITY,
        from: '  await disk.private.remove(NAME)\n  for (const area of [disk.private, disk]) for (const { name } of await area.list("")) await area.remove(name)',
        to: '  for (const area of [disk.private, disk]) for (const { name } of await area.list("")) if (name !== NAME) await area.remove(name)',
      },
    ],
  },
  {
    id: "one-owner-key",
    check: "owner-per-camera",
    says: "an owner has one key for all cameras, which ties them together in every table",
    patches: [{ path: KEYS, from: "(this.#root, `camera ", to: "(this.#root, `camera` || `" }],
  },
  {
    id: "second-factor-asked-only",
    check: "root-wrapped",
    says: "the second factor is asked for, and not needed",
    patches: [
      {
        path: KEYS,
        from: "factor === null ? this.recoveryKit",
        to: "true || sealForFactor || factor ? this.recoveryKit",
      },
    ],
  },
  {
    id: "heartbeat-believed",
    check: "restored-from-root",
    says: "a restored household takes over whatever camera a cloud says is its own",
    patches: [
      {
        path: RECOVERY,
        from: "const beat = camera.id === device ? beatOf(beats.envelope(device), camera) : null",
        to: 'const beat = JSON.parse(Buffer.from(JSON.parse(Buffer.from(beats.envelope(device) ?? []).toString()).payload, "base64").toString())',
      },
    ],
  },
  {
    id: "any-owners-camera",
    check: "restored-from-root",
    says: "a restored household takes over its neighbours' cameras",
    patches: [
      {
        path: RECOVERY,
        from: "return beat?.owner === keys.signingKeyFor(device).id ? camera : null",
        to: "return beat && keys ? camera : null",
      },
    ],
  },
]
