import type { Mistake } from "../mistake.ts"

const DSSE = "firmware/control/dsse.ts"
const VERIFIES = 'if (!verifies(key, pae(kind, payload), Buffer.from(sig, "base64")))'

export const signatures: readonly Mistake[] = [
  {
    id: "any-kind",
    check: "kinds-apart",
    says: "what was signed as one thing passes for another",
    patches: [
      {
        path: DSSE,
        from: "if (envelope.payloadType !== typeOf(kind))",
        to: 'if (envelope.payloadType === "")',
      },
      {
        path: DSSE,
        from: VERIFIES,
        to: 'if (!SIGNED_KINDS.some((one) => verifies(key, pae(one, payload), Buffer.from(sig, "base64"))))',
      },
    ],
  },
  {
    id: "kind-unsigned",
    check: "kinds-apart",
    says: "the payload is signed, and what kind of message it is stands beside it",
    patches: [
      {
        path: DSSE,
        from: "  const type = typeOf(kind)\n",
        to: '  const type = kind === null ? "" : "any"\n',
      },
    ],
  },
  {
    id: "key-id-believed",
    check: "signature-holds",
    says: "a key id is believed, and the signature not looked at",
    patches: [{ path: DSSE, from: VERIFIES, to: 'if (sig === "")' }],
  },
  {
    id: "lenient-json",
    check: "one-spelling",
    says: "whatever JSON.parse takes is taken",
    patches: [
      {
        path: "firmware/control/json.ts",
        from: "if (JSON.stringify(value) !== text)",
        to: 'if (text === "")',
      },
    ],
  },
  {
    id: "lenient-base64",
    check: "one-spelling",
    says: "one statement has many envelopes, each with a hash of its own",
    patches: [
      {
        path: DSSE,
        from: '(text) => Buffer.from(text, "base64").toString("base64") === text',
        to: '(text) => text !== ""',
      },
    ],
  },
  {
    id: "any-order",
    check: "one-spelling",
    says: "a grant that was revoked by its hash has another hash with its fields the other way round",
    patches: [{ path: DSSE, from: "if (!SPELT.test(text))", to: 'if (text === "")' }],
  },
  {
    id: "parse-first",
    check: "verified-first",
    says: "a stranger's bytes are parsed before anybody asks whose they are",
    patches: [
      {
        path: DSSE,
        from: "  checkSignature(kind, envelope, payload, key)\n  return fromJson(payload, shape, kind, ENVELOPE_BYTES_MAX)",
        to: "  const body = fromJson(payload, shape, kind, ENVELOPE_BYTES_MAX)\n  checkSignature(kind, envelope, payload, key)\n  return body",
      },
    ],
  },
  {
    id: "any-point",
    check: "small-order",
    says: "any 32 bytes are taken for a key",
    patches: [
      {
        path: "firmware/control/keys.ts",
        from: 'if (SMALL_ORDER.has(unsigned.toString("hex")))',
        to: "if (raw.length === 0)",
      },
    ],
  },
]
