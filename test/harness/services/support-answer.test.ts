import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { grantFor } from "../../../harness/owner/grants.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { type AnswerParts, sendGrant, sendRefusal } from "../../../harness/services/support/answering.ts"
import { newSupportCode, parseSupportCode } from "../../../harness/services/support/code.ts"
import { grantedLook } from "../../../harness/services/support/looking.ts"
import type { Asked } from "../../../harness/services/support/owner-inbox.ts"
import { lookRequest, sealRequest } from "../../../harness/services/support/request.ts"
import { HelpDesk, REASON, refusal, viewer } from "./help-desk.ts"

const camera = signingKeyOf(randomBytes(32))
const keys = await OwnerKeys.create()
const beat = { boot: "0".repeat(32), number: 1, nonce: "1".repeat(32) }
const grant = (reason = REASON) =>
  grantFor({ device: camera.id, receiver: viewer, reason, beat }, keys.signingKeyFor(camera.id))
let help: HelpDesk
beforeEach(async () => {
  help = await HelpDesk.open()
})
afterEach(() => help.close())

async function asked(): Promise<Asked> {
  await help.ask()
  const [one] = await help.inbox.open()
  if (!one) throw new Error("nobody asks")
  return one
}

const parts = (): AnswerParts => ({ inbox: help.inbox, boxes: help.desk.boxes, record: help.log.record })
const kept = ({ request }: Asked) => ({ request, code: help.code.text, viewer })

describe("the owner answers", () => {
  test("yes, once, for one camera and one key", async () => {
    const one = await asked()
    expect(await grantedLook(kept(one), help.desk.boxes)).toBe(null)
    await sendGrant(one, camera, grant(), parts())
    expect(await grantedLook(kept(one), help.desk.boxes)).toMatchObject({
      camera: { id: camera.id },
      for: 600_000,
    })
    expect(help.log.of(help.code.box)).toEqual(["support asked", "support answered"])
    expect(await help.inbox.open()).toEqual([])
    await expect(sendRefusal(one, parts())).rejects.toMatchObject(refusal("is answered"))
    const thief = { ...kept(one), viewer: signingKeyOf(randomBytes(32)) }
    await expect(grantedLook(thief, help.desk.boxes)).rejects.toMatchObject({ kind: "tampered" })
    const guesser = { ...kept(one), code: (await newSupportCode()).text }
    expect(await grantedLook(guesser, help.desk.boxes)).toBe(null)
  })

  test("no, and the one who asked is told so", async () => {
    const one = await asked()
    await sendRefusal(one, parts())
    expect(help.log.of(help.code.box)).toEqual(["support asked", "support declined"])
    await expect(grantedLook(kept(one), help.desk.boxes)).rejects.toMatchObject(refusal("the owner says no"))
  })

  test("and is not shown what a taken-over desk makes up: a reason of before, a blank one, a strange file", async () => {
    const own = new OwnerFolder(join(help.folder, "owner"))
    await own.addCamera(camera)
    await own.keepSigned("grants", camera.id, grant())
    for (const reason of [`${REASON}!`, "  ", "ok"]) {
      const { request, envelope } = lookRequest(help.asking({ reason }))
      await help.desk.boxes.putRequest(
        help.code.box,
        request,
        await sealRequest(envelope, help.code.recipient),
      )
    }
    await help.desk.boxes.putRequest(help.code.box, "f".repeat(32), randomBytes(300))
    const bad: string[] = []
    expect(await help.inbox.open((why) => bad.push(why))).toEqual([])
    expect(bad).toHaveLength(4)
  })

  test("not to a code that is more than a day old, nor to the ninth who asks with it", async () => {
    for (let n = 0; n < 8; n++) await help.ask({ reason: `reason number ${n} of this customer` })
    const ninth = help.ask({ reason: "one more than there is room for" })
    await expect(ninth).rejects.toMatchObject(refusal("too many"))
    expect(await help.inbox.open()).toHaveLength(8)
    help.now += 25 * 3_600_000
    expect(await help.inbox.open()).toEqual([])
  })
})

describe("a support code", () => {
  test("reads as it was told: lower case, with O for 0 and l for 1", async () => {
    const told = help.code.text.toLowerCase().replace(/0/g, "o").replace(/1/g, "l").replace(/-/g, " ")
    expect((await parseSupportCode(told)).box).toBe(help.code.box)
  })

  test.each(["", "0000-0000", "U".repeat(24), "x".repeat(5_000)])(
    "that is none is refused: %.30j",
    async (text) => {
      await expect(parseSupportCode(text)).rejects.toMatchObject({ kind: "usage" })
    },
  )
})
