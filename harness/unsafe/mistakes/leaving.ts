import type { Mistake } from "../mistake.ts"

const REWRAP = "harness/owner/rewrap.ts"
const SHARE = "harness/commands/owner-share.ts"
const LEND = "harness/commands/owner-lend.ts"
const KEEPS_BOOK = "  await folder.keepBook(withShare(household.book, record), household.keys)\n"
const HANDS_OUT =
  "  for (const [name, bytes] of files) await writePrivate(join(options.out, clip.clip, name), bytes)\n"
const KEEPS_GRANT = '      await folder.keepSigned("grants", camera.id, grant)\n'

export const leaving: readonly Mistake[] = [
  {
    id: "weaker-reader",
    check: "rewrapped-header",
    says: "what withstands a quantum computer is handed on to less",
    patches: [{ path: REWRAP, from: '!recipient.startsWith("age1pq1")', to: "false" }],
  },
  {
    id: "uncommitted-share",
    check: "rewrapped-header",
    says: "a clip is handed on under a file key that its camera did not mean",
    patches: [{ path: REWRAP, from: "commitOf(fileKey) !== commit", to: "false" }],
  },
  {
    id: "damaged-share",
    check: "rewrapped-header",
    says: "a header is made of a damaged one",
    patches: [{ path: REWRAP, from: "    verifyHeader(header, fileKey)\n    if", to: "    if" }],
  },
  {
    id: "shared-unremembered",
    check: "share-recorded-first",
    says: "a clip is handed out first, and a full disk forgets that it was",
    patches: [
      { path: SHARE, from: KEEPS_BOOK, to: "" },
      { path: SHARE, from: HANDS_OUT, to: HANDS_OUT + KEEPS_BOOK },
    ],
  },
  {
    id: "lent-unremembered",
    check: "lent-recorded-first",
    says: "a grant is handed out first, and later looks like a stranger's",
    patches: [
      { path: LEND, from: KEEPS_GRANT, to: "" },
      {
        path: LEND,
        from: "      console.log(options.out)\n",
        to: `${KEEPS_GRANT}      console.log(options.out)\n`,
      },
    ],
  },
  {
    id: "sei-left-in",
    check: "new-object",
    says: "what leaves still has in it what the camera wrote beside the pictures",
    patches: [
      {
        path: "harness/services/offering/film-copy.ts",
        from: "nals: nals.filter(isPicture).map(",
        to: "nals: nals.filter((nal) => isPicture(nal) || nal.length > 0).map(",
      },
    ],
  },
  {
    id: "telling-size",
    check: "new-object",
    says: "what leaves is as large as what it was made of, by which the two are joined",
    patches: [
      {
        path: "harness/services/offering/film-copy.ts",
        from: "while (size < bytes) size *= 2",
        to: "if (size < bytes) size = bytes",
      },
    ],
  },
]
