import type { Mistake } from "../mistake.ts"

const X25519 = "firmware/delivery/age-x25519.ts"
const WRITER = "firmware/delivery/clip-writer.ts"
const SPOOL = "firmware/delivery/spool.ts"
const DISCARDS = "      if (item) await this.#shelf.remove(item)\n"
const OPEN = "firmware/delivery/open-spool.ts"
const FRESH = "const fileKey = randomBytes(FILE_KEY_BYTES)"

export const sealing: readonly Mistake[] = [
  {
    id: "own-format",
    check: "stock-age",
    says: "a file that only this project's own tools open",
    patches: [{ path: X25519, from: '"age-encryption.org/v1/X25519"', to: '"obscura/v1/X25519"' }],
  },
  {
    id: "head-in-each",
    check: "stock-age",
    says: "each segment is a film of its own, so that joined they are none",
    patches: [
      {
        path: "firmware/media/muxer.ts",
        from: "const head = this.#index === 0 ?",
        to: "const head = this.#index >= 0 ?",
      },
    ],
  },
  {
    id: "second-reader",
    check: "owner-only",
    says: "each object is sealed for one key more than the owner's",
    patches: [
      {
        path: X25519,
        from: "encodeHeader([wrap(fileKey, recipient, point)], fileKey)",
        to: "encodeHeader([wrap(fileKey, recipient, point), wrap(fileKey, x25519PublicKey(Buffer.alloc(32, 9)), Buffer.alloc(32, 9))], fileKey)",
      },
    ],
  },
  {
    id: "makers-key",
    check: "owner-only",
    says: "the camera seals for a key of its maker",
    patches: [
      {
        path: "firmware/delivery/sealer.ts",
        from: 'import { sealAge } from "./age.ts"\n',
        to: 'import { sealAge } from "./age.ts"\nimport { parseRecipient } from "./recipient.ts"\n',
      },
      {
        path: "firmware/delivery/sealer.ts",
        from: "const age = await sealAge(plain.bytes, recipient)",
        to: 'void recipient; const age = await sealAge(plain.bytes, parseRecipient("age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z"))',
      },
    ],
  },
  {
    id: "one-file-key",
    check: "fresh-file-key",
    says: "one file key for all objects of a boot",
    patches: [{ path: X25519, from: FRESH, to: "const fileKey = Buffer.alloc(FILE_KEY_BYTES, 7)" }],
  },
  {
    id: "no-verdict-needed",
    check: "held-until-verdict",
    says: "objects are listed as they are made, whatever recognition will say",
    patches: [
      { path: WRITER, from: "if (!this.#verdict) return\n", to: "" },
      { path: WRITER, from: "if (this.#verdict.keep) await", to: "if (this.#verdict?.keep !== false) await" },
    ],
  },
  {
    id: "keeps-discarded",
    check: "held-until-verdict",
    says: "what recognition discards is uploaded all the same",
    patches: [{ path: WRITER, from: "if (this.#verdict.keep) await", to: "if (ids.length > 0) await" }],
  },
  {
    id: "discarded-stays",
    check: "held-until-verdict",
    says: "what was discarded stays on the card, and the next boot sends it",
    patches: [{ path: SPOOL, from: DISCARDS, to: "" }],
  },
  {
    id: "discarded-is-numbered",
    check: "held-until-verdict",
    says: "the chain tells by its numbers how often the leaves moved",
    patches: [
      {
        path: SPOOL,
        from: DISCARDS,
        to: `${DISCARDS}      if (item) this.#listing.add({ ...item, gone: true })\n      await this.#listing.list()\n`,
      },
    ],
  },
  {
    id: "discarded-from-its-beginning",
    check: "discarded-from-its-end",
    says: "a power cut amid a discard leaves a clip without its beginning, as if a cloud withheld it",
    patches: [{ path: SPOOL, from: "of [...ids].reverse()", to: "of ids" }],
  },
  {
    id: "forgets-held",
    check: "power-cut",
    says: "a boot forgets what was held when the power went",
    patches: [{ path: OPEN, from: "if (held.length > 0) await", to: "if (held.length < 0) await" }],
  },
  {
    id: "no-cut",
    check: "power-cut",
    says: "a clip that a power cut ended looks as if more of it were to come",
    patches: [{ path: OPEN, from: '    await spool.say({ kind: "cut", clip, segments })\n', to: "" }],
  },
  {
    id: "unpadded",
    check: "one-size",
    says: "a segment is as large as what moved in it",
    patches: [
      {
        path: WRITER,
        from: 'this.pad = padding === "economy" ? padme : floor',
        to: "this.pad = (bytes) => bytes",
      },
    ],
  },
  {
    id: "small-thumbnail",
    check: "one-size",
    says: "a thumbnail is known by its size",
    patches: [
      {
        path: WRITER,
        from: 'this.#padSidecar = padding === "economy" ? sidecar : floor',
        to: "this.#padSidecar = (bytes) => bytes",
      },
    ],
  },
]
