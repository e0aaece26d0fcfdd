import type { Mistake } from "../mistake.ts"

const UPLOADER = "firmware/delivery/uploader.ts"
const UPLOADS = "harness/cloud/uploads.ts"
const COMMANDS = "firmware/control/commands.ts"
const PENDING = "harness/cloud/pending.ts"
const RECEIPTS = "harness/owner/receipts.ts"
const VERIFIED = 'verify("receipt", payload, ownership().receiptKey, receiptShape)'
const HASHES =
  'return headerHash?.digest("hex") === entry.headerHash && payloadHash?.digest("hex") === entry.payloadHash'

export const upload: readonly Mistake[] = [
  {
    id: "puback-trusted",
    check: "puback-not-trusted",
    says: "what a broker acknowledged is taken for stored",
    patches: [
      {
        path: UPLOADER,
        from: "const receipt = await transfer.run(isNew)",
        to: 'const receipt = (await transfer.run(isNew)) ?? Buffer.from("acknowledged")',
      },
    ],
  },
  {
    id: "never-resends",
    check: "puback-not-trusted",
    says: "a camera waits for ever for the answer to what was lost",
    patches: [
      {
        path: UPLOADER,
        from: "while (!done() && !this.#cut && !late) await this.#news.wait()",
        to: "while (!done() && !this.#cut) await this.#news.wait()",
      },
    ],
  },
  {
    id: "paces-on-puback",
    check: "paces-on-held",
    says: "a camera sends as fast as a broker acknowledges, into a queue that is thrown away",
    patches: [
      {
        path: UPLOADER,
        from: "const far = () => offset - held() >= WINDOW_BYTES",
        to: "const far = () => offset - held() >= WINDOW_BYTES * 1_000",
      },
    ],
  },
  {
    id: "anybodys-receipt",
    check: "receipt-pinned",
    says: "a camera lets go of what anybody signs for",
    patches: [
      {
        path: UPLOADER,
        from: VERIFIED,
        to: '(verify, ownership, receiptShape.parse(JSON.parse(Buffer.from(JSON.parse(payload.toString()).payload, "base64").toString())))',
      },
    ],
  },
  {
    id: "any-receipt",
    check: "receipt-pinned",
    says: "a receipt for one manifest counts for another",
    patches: [
      {
        path: UPLOADER,
        from: "receipt.device === identity.device && receipt.manifest === hash",
        to: 'hash !== ""',
      },
    ],
  },
  {
    id: "starts-over",
    check: "resumes-from-held",
    says: "after each cut an object is sent from its beginning",
    patches: [
      { path: UPLOADER, from: "let offset = Math.min(held(), size)", to: "let offset = Math.min(0, size)" },
    ],
  },
  {
    id: "header-unchecked",
    check: "hashes-verified",
    says: "the cloud signs for a damaged header: the object is lost for ever, and nobody knows",
    patches: [
      {
        path: PENDING,
        from: HASHES,
        to: 'void headerHash; return payloadHash?.digest("hex") === entry.payloadHash',
      },
    ],
  },
  {
    id: "payload-unchecked",
    check: "hashes-verified",
    says: "the cloud signs for a damaged payload",
    patches: [
      {
        path: PENDING,
        from: HASHES,
        to: 'void payloadHash; return headerHash?.digest("hex") === entry.headerHash',
      },
    ],
  },
  {
    id: "early-receipt",
    check: "durable-first",
    says: "the receipt leaves while the disk is still writing",
    patches: [
      {
        path: UPLOADS,
        from: "    const storing = this.#options.bucket\n",
        to: '    this.#options.send(device, "receipt", sign("receipt", { device, manifest: hash, from: body.sequence, to: body.sequence }, this.#options.receiptKey))\n    const storing = this.#options.bucket\n',
      },
    ],
  },
  {
    id: "evicts-oldest",
    check: "evicts-received",
    says: "the oldest payload leaves first, whether the cloud has it or not",
    patches: [{ path: "firmware/delivery/shelf.ts", from: "if (await this.#evict()) return true\n", to: "" }],
  },
  {
    id: "resends-replayed",
    check: "resend-by-owner",
    says: "a cloud that repeats an owner's resend empties the camera's battery and uplink",
    patches: [{ path: COMMANDS, from: "done.add(asked.nonce)", to: "void done" }],
  },
  {
    id: "resends-for-anybody",
    check: "resend-by-owner",
    says: "anybody may ask a camera to send all that it has again",
    patches: [
      {
        path: COMMANDS,
        from: 'const asked = verify("resend", envelope, ownership().owner, resendShape)',
        to: 'void verify; void ownership; const asked = resendShape.parse(JSON.parse(Buffer.from(JSON.parse(Buffer.from(envelope).toString()).payload, "base64").toString()))',
      },
    ],
  },
  {
    id: "keeps-any-receipt",
    check: "receipts-kept",
    says: "an owner keeps whatever calls itself a receipt",
    patches: [
      {
        path: RECEIPTS,
        from: 'const receipt = verify("receipt", envelope, cloud, receiptShape)',
        to: 'void verify; void cloud; const receipt = unverified(envelope, receiptShape) ?? { device: "" }',
      },
    ],
  },
  {
    id: "loss-forgotten",
    check: "receipts-kept",
    says: "what a cloud signed for and no longer shows is forgotten by both",
    patches: [
      {
        path: RECEIPTS,
        from: "if (receipt && !shown.has(receipt.manifest))",
        to: "if (receipt && shown.size < 0)",
      },
    ],
  },
]
