import type { Mistake } from "../mistake.ts"

const DSSE = "firmware/control/dsse.ts"
const GRANT = "firmware/control/grant.ts"
const VIEW = "firmware/live/live-view.ts"
const SESSION = "firmware/live/session.ts"
const MEMORY = "firmware/live/memory.ts"
const BEATS = "firmware/control/own-beats.ts"
const MESSAGES = "firmware/control/live-messages.ts"
const CHANNEL = "firmware/live/channel.ts"

export const live: readonly Mistake[] = [
  {
    id: "portal",
    check: "only-by-grant",
    says: "who asks, looks: the signature under a grant is not looked at",
    patches: [
      {
        path: DSSE,
        from: 'if (!verifies(key, pae(kind, payload), Buffer.from(sig, "base64")))',
        to: 'if (sig === "")',
      },
    ],
  },
  {
    id: "grant-for-any-camera",
    check: "only-by-grant",
    says: "a grant for the garden is good for the bedroom",
    patches: [
      {
        path: GRANT,
        from: "grant.device !== parts.device || ask.device !== parts.device",
        to: 'grant.device === ""',
      },
    ],
  },
  {
    id: "grant-for-anybody",
    check: "only-by-grant",
    says: "whoever finds a grant may use it",
    patches: [{ path: GRANT, from: 'verify("ask", envelope, receiver, askShape)', to: "carried" }],
  },
  {
    id: "any-nonce",
    check: "only-by-grant",
    says: "a grant need not quote a heartbeat that there was",
    patches: [{ path: BEATS, from: "if (!isOurs || number", to: "if (number" }],
  },
  {
    id: "blank-reason",
    check: "only-by-grant",
    says: "a single space is a reason",
    patches: [{ path: MESSAGES, from: "/[\\p{L}\\p{N}]/u.test(text)", to: 'text !== ""' }],
  },
  {
    id: "long-grant",
    check: "only-by-grant",
    says: "a grant lasts as long as it likes",
    patches: [{ path: MESSAGES, from: ".max(GRANT_FOR_MAX / 1_000)", to: ".max(9_000)" }],
  },
  {
    id: "asks-again",
    check: "grant-ends",
    says: "a cloud that kept an ask looks again with it",
    patches: [{ path: MEMORY, from: "if (this.#asks.has(hash))", to: 'if (hash === "")' }],
  },
  {
    id: "asks-respelt",
    check: "grant-ends",
    says: "a cloud that kept an ask looks again with its fields in another order",
    patches: [{ path: DSSE, from: "if (!SPELT.test(text))", to: 'if (text === "")' }],
  },
  {
    id: "grant-without-end",
    check: "grant-ends",
    says: "a look that was allowed for a moment goes on",
    patches: [
      {
        path: GRANT,
        from: "until: beat.at + seconds(grant.seconds)",
        to: "until: beat.at + seconds(grant.seconds) * 100",
      },
    ],
  },
  {
    id: "one-boot-for-ever",
    check: "reboot-ends-grants",
    says: "switching the camera off and on ends nothing",
    patches: [
      {
        path: "firmware/control/identity.ts",
        from: 'boot: randomBytes(16).toString("hex")',
        to: 'boot: "00".repeat(16)',
      },
    ],
  },
  {
    id: "trusts-the-wall",
    check: "no-wall-clock",
    says: "whoever sets the clock decides how long a grant lasts",
    patches: [
      { path: BEATS, from: "const now = this.#clock.monotonic()", to: "const now = this.#clock.real().at" },
    ],
  },
  {
    id: "no-renewals",
    check: "renewal-needed",
    says: "a cloud that withholds a revocation lets a viewer look on",
    patches: [{ path: SESSION, from: 'if (now >= this.#renewBy) return "not renewed"', to: "" }],
  },
  {
    id: "renewals-saved-up",
    check: "renewal-needed",
    says: "old renewals, handed out one by one, keep a look alive",
    patches: [
      {
        path: SESSION,
        from: "at + RENEWED_FOR",
        to: "(void at, this.#parts.clock.monotonic()) + RENEWED_FOR",
      },
    ],
  },
  {
    id: "revokes-nothing",
    check: "revoked-in-two-seconds",
    says: "a viewer who was removed looks on for hours",
    patches: [
      {
        path: VIEW,
        from: "for (const { session } of ending) session.end(cause)",
        to: 'if (cause === "revoked") return 1; else for (const { session } of ending) session.end(cause)',
      },
    ],
  },
  {
    id: "forgets-revocations",
    check: "revoked-in-two-seconds",
    says: "a grant that was taken back is good again at the next ask",
    patches: [{ path: MEMORY, from: "return this.#revoked.has(grant)", to: 'return grant === ""' }],
  },
  {
    id: "revoked-by-anybody",
    check: "revoked-in-two-seconds",
    says: "a viewer can end another's look",
    patches: [
      { path: DSSE, from: "if (keyid !== key.id)", to: 'if (kind === "manifest" && keyid !== key.id)' },
      {
        path: DSSE,
        from: 'if (!verifies(key, pae(kind, payload), Buffer.from(sig, "base64")))',
        to: 'if (kind !== "revocation" && !verifies(key, pae(kind, payload), Buffer.from(sig, "base64")))',
      },
    ],
  },
  {
    id: "looks-in-the-dark",
    check: "light-and-chain-first",
    says: "the light is off while pictures leave",
    patches: [
      {
        path: VIEW,
        from: 'lit.dark = await light.hold("live view"',
        to: 'lit.dark = await (async (_: string, _lost: () => void) => () => undefined)("live view"',
      },
    ],
  },
  {
    id: "no-trace",
    check: "light-and-chain-first",
    says: "a look leaves no trace in the camera's chain",
    patches: [{ path: VIEW, from: "if (!(await this.#note(session, granted)))", to: 'if (session === "")' }],
  },
  {
    id: "looks-on-in-the-dark",
    check: "light-and-chain-first",
    says: "when the light goes out by itself the look goes on",
    patches: [{ path: VIEW, from: 'lit.onLost = () => begun.end("light lost")', to: "" }],
  },
  {
    id: "one-reason",
    check: "reasons-are-fresh",
    says: "one reason, typed once, is good for every look",
    patches: [{ path: VIEW, from: "!isOwner && !memory.reason(", to: "isOwner && !memory.reason(" }],
  },
  {
    id: "one-key",
    check: "keys-are-fresh",
    says: "a camera answers everybody with one key",
    patches: [
      {
        path: VIEW,
        from: "const own = newEphemeral()",
        to: "const own = (Object(globalThis).own ??= newEphemeral())",
      },
    ],
  },
  {
    id: "one-grant-many-looks",
    check: "keys-are-fresh",
    says: "by one grant many look at once",
    patches: [
      {
        path: VIEW,
        from: 'await this.#end("replaced", (session) => session.grantHash === granted.grantHash)',
        to: "",
      },
    ],
  },
  {
    id: "pictures-again",
    check: "pictures-authentic",
    says: "a cloud can show yesterday's pictures again",
    patches: [{ path: CHANNEL, from: "if (counter <= this.#counter)", to: "if (counter < 0)" }],
  },
]
