import type { Mistake } from "../mistake.ts"

/** The mistakes that C1 to C21 are drawn from: what somebody built, as a change of what is here. */

const SEALER = "firmware/delivery/sealer.ts"
const GRANT = "firmware/control/grant.ts"
const VIEWERS = "(owns(session.key.id, device) || shows(device))"
const OWNERS_GRANT = 'const grant = verify("grant", grantBytes, parts.owner, grantShape)'

const IMPORTS_HASH = {
  path: SEALER,
  from: 'import { sealAge } from "./age.ts"',
  to: 'import { sealAge } from "./age.ts"\nimport { sha256Hex } from "../control/keys.ts"',
}
const PLAIN = `{
      ...(await sealAge(new Uint8Array(1), recipient)),
      header: Buffer.from("-"), payload: [plain.bytes], payloadBytes: plain.bytes.length,
      headerHash: sha256Hex(Buffer.from("-")), payloadHash: sha256Hex(plain.bytes),
    }`
const plainWhere = (which: string) => ({
  path: SEALER,
  from: "const age = await sealAge(plain.bytes, recipient)",
  to: `const age = ${which} ? ${PLAIN} : await sealAge(plain.bytes, recipient)`,
})
/** Whoever asks is let through to the camera. */
const EVERYBODY_IS_LET_THROUGH = { path: "harness/cloud/access.ts", from: VIEWERS, to: "true" }
const CUSTOMER = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"

export const privacy: readonly Mistake[] = [
  {
    id: "ring-2016-plain-bucket",
    check: "C1",
    says: 'video lies unencrypted in the bucket, for encryption "would be expensive"',
    patches: [IMPORTS_HASH, plainWhere('plain.kind === "segment"')],
  },
  {
    id: "plain-debug-log",
    check: "C2",
    says: "a line that was made for debugging has the beginning of what was recorded",
    patches: [
      {
        path: "firmware/delivery/clip-writer.ts",
        from: 'log.write({ event: "object sealed", clip: this.id, kind, index,',
        to: 'log.write({ event: "object sealed", clip: this.id, kind: kind + Buffer.from(bytes).toString("base64", 0, 4_096), index,',
      },
    ],
  },
  {
    id: "ring-customer-number",
    check: "C3",
    says: "one customer number stands beside the e-mail and beside the clip",
    patches: [
      {
        path: "harness/cloud/index/accounts.ts",
        from: 'const inbox = randomBytes(16).toString("hex")',
        to: `const numbers = globalThis as { given?: boolean }
    const inbox = numbers.given ? randomBytes(16).toString("hex") : "${CUSTOMER}"
    numbers.given = true`,
      },
      {
        path: "harness/cloud/index/indexer.ts",
        from: "return [{ object: id, clip, device,",
        to: `return [{ object: id, clip: "${CUSTOMER}", device,`,
      },
    ],
  },
  {
    id: "ring-portal",
    check: "C4",
    says: "the portal's own credential is as good as the owner's grant",
    patches: [
      EVERYBODY_IS_LET_THROUGH,
      {
        path: GRANT,
        from: OWNERS_GRANT,
        to: `const claimed = publicKeyFromHex(unverified(grantBytes, grantShape)?.owner ?? "")
    const grant = verify("grant", grantBytes, claimed, grantShape)`,
      },
    ],
  },
  {
    id: "views-leave-no-record",
    check: "C5",
    says: "nothing is written down when somebody looks",
    patches: [
      {
        path: "harness/cloud/log/live-sessions.ts",
        from: "if (begun.length > 0)\n      try {",
        to: "if (begun.length > 99)\n      try {",
      },
    ],
  },
  {
    id: "derived-models-stay",
    check: "C6",
    says: "what was made of a clip stays when its consent is withdrawn",
    patches: [
      {
        path: "harness/services/labelling/ledger.ts",
        from: "models: ledger.models.filter((model) => !hasIt(model)),",
        to: "models: ledger.models,",
      },
    ],
  },
  {
    id: "neighbors-2019",
    check: "C20",
    says: "whoever posts a clip has agreed to everything that the company does with it",
    patches: [
      {
        path: "harness/services/labelling/intake.ts",
        from: "      return readConsent(envelope)\n",
        to: `      const post = unverified(envelope, postShape)
      if (post) return { ...post, service: (await this.#parts.store.keys()).id, purpose: "train recognition", place: "outdoor", changed: [], signer: publicKeyFromHex(post.key), hash: sha256Hex(envelope) }
      return readConsent(envelope)
`,
      },
      {
        path: "harness/services/labelling/intake.ts",
        from: 'import { sha256Hex } from "../../../firmware/control/keys.ts"',
        to: `import { unverified } from "../../../firmware/control/dsse.ts"
import { publicKeyFromHex, sha256Hex } from "../../../firmware/control/keys.ts"
import { postShape } from "../neighbours/post.ts"`,
      },
    ],
  },
  {
    id: "indoor-by-default",
    check: "C21",
    says: "every camera's clips may be offered until its owner says otherwise",
    patches: [
      {
        path: "harness/services/labelling/policy.ts",
        from: 'export const DEFAULT_POLICY: Policy = { place: "indoor", labelling: "never" }',
        to: 'export const DEFAULT_POLICY: Policy = { place: "indoor", labelling: "ask" }',
      },
    ],
  },
  {
    id: "staff-without-second-factor",
    check: "C7",
    says: "staff who have set up no second factor need none",
    patches: [
      {
        path: "harness/services/staff/registry.ts",
        from: 'if (factor === null) return { next: person, why: "no second factor: staff without one ask for nothing" }',
        to: "if (factor === null) return { next: person, why: null }",
      },
    ],
  },
  {
    id: "ring-2018-revoke",
    check: "C8",
    says: "who was removed is so when the camera is started again, and not before",
    patches: [
      {
        path: "firmware/control/commands.ts",
        from: "  parts.setOwnership(changed.ownership)\n",
        to: "",
      },
    ],
  },
  {
    id: "adt-2020",
    check: "C9",
    says: "a technician adds a key of their own to the household's",
    patches: [
      {
        path: "firmware/control/ownership.ts",
        from: 'const signed: Recipients = verify("recipients", envelope, owner, recipientsShape)',
        to: 'const signed: Recipients = unverified(envelope, recipientsShape) ?? verify("recipients", envelope, owner, recipientsShape)',
      },
    ],
  },
  {
    id: "verkada-2021-super-admin",
    check: "C10",
    says: "a role opens any camera, whoever owns it",
    patches: [
      EVERYBODY_IS_LET_THROUGH,
      {
        path: GRANT,
        from: OWNERS_GRANT,
        to: `const grant = unverified(grantBytes, grantShape) ?? verify("grant", grantBytes, parts.owner, grantShape)`,
      },
    ],
  },
  {
    id: "verkada-2021-single-space",
    check: "C11",
    says: "a single space is a reason",
    patches: [
      {
        path: "harness/services/support/reason.ts",
        from: "export function flawOfReason(text: string): string | null {",
        to: 'export function flawOfReason(text: string): string | null {\n  if (text === " ") return null',
      },
    ],
  },
  {
    id: "privacy-ends-from-afar",
    check: "C12",
    says: "the app alone ends privacy mode, wherever its owner is",
    patches: [
      {
        path: "firmware/control/privacy.ts",
        from: "if (this.#press === null || clock.monotonic() >= this.#press.until || asked.press !== this.#press.nonce)",
        to: "if (clock === undefined)",
      },
    ],
  },
  {
    id: "verkada-2021-support-host",
    check: "C13",
    says: "whoever has the support host has what it shows",
    patches: [
      {
        path: GRANT,
        from: OWNERS_GRANT,
        to: `const claimed = publicKeyFromHex(unverified(grantBytes, grantShape)?.owner ?? "")
    const grant = verify("grant", grantBytes, claimed, grantShape)`,
      },
    ],
  },
  {
    id: "eufy-2022-open-stream",
    check: "C14",
    says: "a second port gives a stream to whoever finds it",
    patches: [
      {
        path: "harness/cloud/broker.ts",
        from: "    const port = await listen(server, options)",
        to: '    const port = await listen(server, options)\n    createServer((socket) => socket.end("stream")).listen(0, "127.0.0.1")',
      },
    ],
  },
  {
    id: "eufy-2022-plain-on-request",
    check: "C15",
    says: "what a server asks of a camera is done, whatever it is",
    patches: [
      {
        path: "firmware/control/commands.ts",
        from: 'return { ok: false, reason: "no such command" }',
        to: 'return { ok: true, reason: "as you like" }',
      },
    ],
  },
  {
    id: "eufy-2022-thumbnails",
    check: "C16",
    says: "clips are sealed; their thumbnails, for notifications, are not",
    patches: [IMPORTS_HASH, plainWhere('plain.kind === "thumbnail"')],
  },
  {
    id: "always-encrypted",
    check: "C17",
    says: "the documents promise what nobody checks",
    patches: [
      {
        path: "harness/insider/claims.ts",
        from: 'readFileSync(join(ROOT, name), "utf8")',
        to: 'readFileSync(join(ROOT, name), "utf8").replace(/\\| promise .*\\n.*\\n/, "$&| Always encrypted | our word |\\n")',
      },
    ],
  },
]
