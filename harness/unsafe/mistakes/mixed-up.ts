import type { Mistake } from "../mistake.ts"

/** The mistakes of C18 and C19: one identity is taken for another, or everybody comes at once. */

const OWNERSHIP = "firmware/control/ownership.ts"
const GRANT = "firmware/control/grant.ts"

export const mixedUp: readonly Mistake[] = [
  {
    id: "ubiquiti-2023",
    check: "C18",
    says: "which account a camera belongs to is what the servers are configured to say",
    patches: [
      {
        path: OWNERSHIP,
        from: 'const signed: Recipients = verify("recipients", envelope, owner, recipientsShape)',
        to: 'const signed: Recipients = unverified(envelope, recipientsShape) ?? verify("recipients", envelope, owner, recipientsShape)',
      },
      {
        path: GRANT,
        from: 'const grant = verify("grant", grantBytes, parts.owner, grantShape)',
        to: `const configured = publicKeyFromHex(unverified(grantBytes, grantShape)?.owner ?? "")
    const grant = verify("grant", grantBytes, configured, grantShape)`,
      },
    ],
  },
  {
    id: "wyze-2024",
    check: "C18",
    says: "sessions are kept by the name that a client gives itself",
    patches: [
      {
        path: "harness/cloud/access.ts",
        from: "body.client === client &&\n      key.id === client &&\n      ",
        to: "",
      },
      {
        path: "harness/cloud/access.ts",
        from: "return holds ? { role: body.role, key } : null",
        to: "return holds ? { role: body.role, key: client === key.id ? key : { ...key, id: client } } : null",
      },
    ],
  },
  {
    id: "all-come-at-once",
    check: "C19",
    says: "after a restart everybody waits for the same time",
    patches: [
      {
        path: "firmware/control/link.ts",
        from: "return ceiling * (0.1 + 0.9 * random.next())",
        to: "return random === undefined ? 0 : ceiling * 0.1",
      },
    ],
  },
  {
    id: "wyze-2024-cache",
    check: "C19",
    says: "for whom is sealed comes from a cache that all cameras share, and that takes one for another",
    patches: [
      {
        path: "firmware/delivery/sealer.ts",
        from: "  return async (plain) => {\n    const { epoch, hash, recipient } = recipients()",
        to: `  const cache = globalThis as { slots?: (() => RecipientsNow)[] }
  cache.slots ??= []
  const slot = cache.slots.push(recipients) - 1
  return async (plain) => {
    const { epoch, hash, recipient } = (cache.slots?.[slot ^ 1] ?? recipients)()`,
      },
    ],
  },
]
