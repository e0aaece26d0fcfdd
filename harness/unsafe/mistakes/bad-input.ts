import type { Mistake } from "../mistake.ts"

const DSSE = "firmware/control/dsse.ts"

export const badInput: readonly Mistake[] = [
  {
    id: "doors-take-any-kind",
    check: "kinds-at-doors",
    says: "what was said as one thing is heard as another where its shape allows it",
    patches: [
      {
        path: DSSE,
        from: "if (envelope.payloadType !== typeOf(kind))",
        to: 'if (envelope.payloadType === "")',
      },
      {
        path: DSSE,
        from: 'if (!verifies(key, pae(kind, payload), Buffer.from(sig, "base64")))',
        to: 'if (!SIGNED_KINDS.some((one) => verifies(key, pae(one, payload), Buffer.from(sig, "base64"))))',
      },
    ],
  },
  {
    id: "payload-unsigned",
    check: "fuzzed",
    says: "a message is believed for who sent it, whatever it says by now",
    patches: [
      {
        path: DSSE,
        from: 'if (!verifies(key, pae(kind, payload), Buffer.from(sig, "base64")))',
        to: 'if (sig === "")',
      },
    ],
  },
  {
    id: "short-parts-crash",
    check: "fuzzed",
    says: "a picture of ten bytes ends the viewer's program",
    patches: [
      {
        path: "firmware/control/live-messages.ts",
        from: "if (payload.length <= HEADER_BYTES || ",
        to: "if (",
      },
    ],
  },
  {
    id: "short-chunks-crash",
    check: "fuzzed",
    says: "a chunk of five bytes ends the cloud",
    patches: [
      {
        path: "firmware/control/protocol.ts",
        from: "if (payload.length <= CHUNK_HEADER_BYTES || ",
        to: "if (",
      },
    ],
  },
  {
    id: "waits-without-end",
    check: "withheld-upload",
    says: "one answer that does not come stops a camera's upload for ever",
    patches: [
      {
        path: "firmware/delivery/uploader.ts",
        from: "while (!done() && !this.#cut && !late) await this.#news.wait()",
        to: "while (!done() && !this.#cut) await this.#news.wait()",
      },
    ],
  },
  {
    id: "hidden-tail-untold",
    check: "withheld-upload",
    says: "a cloud that keeps everything back looks like a quiet street",
    patches: [
      {
        path: "harness/owner/tail.ts",
        from: "announced.newest > chain.newest)",
        to: "announced.newest < 0)",
      },
    ],
  },
  {
    id: "silence-is-consent",
    check: "withheld-words",
    says: "no answer is taken for a good one",
    patches: [
      {
        path: "harness/owner/command.ts",
        from: "    return answer\n  } finally",
        to: '    return answer ?? ({ result: "done", reason: "" } as T)\n  } finally',
      },
    ],
  },
  {
    id: "waits-for-viewers",
    check: "withheld-view",
    says: "the light and the stream go on for somebody who hears nothing",
    patches: [
      {
        path: "firmware/live/session.ts",
        from: "now >= this.#heardAt + SILENT_MAX",
        to: "now < 0",
      },
    ],
  },
  {
    id: "paired-by-hope",
    check: "withheld-pairing",
    says: "the owner's app says that it is paired before the camera has",
    patches: [
      {
        path: "harness/owner/pairing.ts",
        from: "  return paired\n}",
        to: "  return paired ?? (offer as Offering | null)?.camera ?? null\n}",
      },
    ],
  },
]
