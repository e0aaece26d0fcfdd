import type { Mistake } from "../mistake.ts"

const SEALER = "firmware/delivery/sealer.ts"

export const noSeam: readonly Mistake[] = [
  {
    id: "plain-payload",
    check: "sealed-on-the-wire",
    says: "encryption would be expensive: what is uploaded is the film itself",
    patches: [
      {
        path: SEALER,
        from: "parts: [age.header, ...age.payload] }",
        to: "parts: [age.header, plain.bytes] }",
      },
    ],
  },
  {
    id: "plain-for-economy",
    check: "sealed-on-the-wire",
    says: "one setting among many leaves thumbnails unsealed",
    patches: [
      {
        path: SEALER,
        from: "parts: [age.header, ...age.payload] }",
        to: 'parts: plain.kind === "thumbnail" ? [age.header, plain.bytes] : [age.header, ...age.payload] }',
      },
    ],
  },
  {
    id: "lenient-configuration",
    check: "no-plain-option",
    says: "a word that nobody knows is passed over, whatever somebody meant by it",
    patches: [
      {
        path: "firmware/config.ts",
        from: "const configShape = z.strictObject({\n",
        to: "const configShape = z.object({\n",
      },
    ],
  },
  {
    id: "ships-anything",
    check: "ships-alone",
    says: "a variant that does not seal is packed for a Pi, and nobody notices",
    patches: [{ path: "hardware/flash/bundle.ts", from: "  refuseForeign(inputs)\n", to: "" }],
  },
]
