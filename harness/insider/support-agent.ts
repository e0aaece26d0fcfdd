import { randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { base32nopad } from "@scure/base"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { seconds } from "../../firmware/units.ts"
import { Tries } from "../checks/check.ts"
import type { Access } from "../cloud/log/record-access.ts"
import { newHouseholdIdentity } from "../owner/age-identity.ts"
import { OwnerKeys } from "../owner/keys.ts"
import { needsFactor, openWithFactor, sealForFactor } from "../owner/second-factor.ts"
import { ServiceFolder } from "../services/service-folder.ts"
import { StaffRegistry } from "../services/staff/registry.ts"
import { codeOf, stepAt } from "../services/staff/totp.ts"
import { newSupportCode } from "../services/support/code.ts"
import { SupportDesk } from "../services/support/desk.ts"
import { lookRequest } from "../services/support/request.ts"
import { asOwner, look, within } from "./guest.ts"
import { asking, forgedGrant, lastBeat, seesNothing } from "./unlent.ts"
import type { Insider } from "./world.ts"

/** None of them says why somebody should be let into a home. */
const NO_REASONS = [
  "",
  " ",
  "\t\n",
  "\u00a0",
  "\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b",
  "..........",
  "x".repeat(20_000),
  "ok",
]

/** Helps people on the telephone: asks, and may look where the owner has said so. */
export const supportAgent: Insider = {
  name: "support agent",
  has: "a named role, a key and a second factor, the desk at which one asks, one owner's grant",
  attempts: {
    C7: {
      when: "during",
      run: () =>
        atTheDesk(async ({ desk, staff, key, code, tries, records }) => {
          const ask = (reason: string) =>
            lookRequest({
              name: "sam",
              staff: key,
              code,
              viewer: signingKeyOf(randomBytes(32)),
              reason,
              seconds: 60,
            }).envelope
          const past = async (digits: string) => {
            const before = records.length
            const passed = await desk
              .ask(ask(`the picture freezes, case ${randomBytes(4).toString("hex")}`), digits)
              .then(
                () => true,
                () => false,
              )
            return { passed, recorded: records.length > before }
          }
          // Before there is one, and with a wrong, an old and a used one.
          tries.holds(!(await past("000000")).passed, "staff without a second factor are let in")
          const secret = await enrolled(staff)
          const good = codeAt(secret)
          for (const wrong of ["", "1234567", codeAt(secret, -9)]) {
            const { passed, recorded } = await past(wrong)
            tries.holds(!passed && recorded, "a wrong second factor is let in, or leaves no record")
          }
          if (!(await past(good)).passed) throw new Error("nor does the right one open")
          tries.holds(!(await past(good)).passed, "a second factor is good twice")
          // An owner who has one.
          const owner = await OwnerKeys.create()
          const factor = await newHouseholdIdentity("x25519")
          const underPassphrase = await sealForFactor(owner.recoveryKit, factor.recipientText)
          const other = (await newHouseholdIdentity("x25519")).secretText
          tries.holds(needsFactor(underPassphrase), "what a passphrase opens is the owner's root")
          for (const given of ["", other])
            await tries.refused(
              () => openWithFactor(underPassphrase, given),
              "an owner's keys open without their second factor",
            )
        }),
    },
    C10: {
      when: "during",
      async run(world, signal) {
        const tries = new Tries()
        const key = signingKeyOf(randomBytes(32))
        for (const home of world.homes) {
          const { camera, owner } = home
          const grant = forgedGrant(camera.id, {
            owner,
            receiver: key,
            by: key,
            reason: "asked, and not answered",
            beat: lastBeat(home),
          })
          const words = [asking(camera, key, grant)]
          const otherwise = "a look that was asked for and not answered shows a camera"
          await seesNothing({ world, tries, signal }, camera, key, words, 500, otherwise)
        }
        return tries
      },
    },
    C11: {
      when: "during",
      async run(world, signal) {
        const [home] = world.homes
        if (!home) throw new Error("a world without homes")
        const asked = await atTheDesk(async ({ desk, staff, key, code, tries, records }) => {
          const ask = async (reason: string) => {
            const viewer = signingKeyOf(randomBytes(32))
            const { envelope } = lookRequest({ name: "sam", staff: key, code, viewer, reason, seconds: 60 })
            // A code is good once: a new factor each time.
            return desk.ask(envelope, codeAt(await enrolled(staff)))
          }
          for (const reason of NO_REASONS) {
            const before = records.length
            await tries.refused(() => ask(reason), `the reason ${JSON.stringify(reason.slice(0, 12))}`)
            tries.holds(records.length > before, "a refused reason leaves no record")
          }
          await ask("the picture freezes every night")
          for (const again of ["the picture freezes every night", "The Picture  freezes, every night!"])
            await tries.refused(() => ask(again), "a reason that was given before")
        })
        // And at the camera itself, should an owner's app ever sign such a thing.
        await home.alone(() =>
          asOwner(world, home, async (lending) => {
            const said = "the gate stands open"
            const viewer = signingKeyOf(randomBytes(32))
            for (const reason of [...NO_REASONS.slice(0, 5), said]) {
              const beat = lastBeat(home)
              const grant = forgedGrant(home.camera.id, {
                owner: home.owner,
                receiver: viewer,
                by: home.owner,
                reason,
                beat,
              })
              const until = within(seconds(0.8), signal)
              const { pictures } = await look(world, home.camera, viewer, grant, until.signal, () =>
                until.stop(),
              )
              until.stop()
              asked.holds(pictures === 0, `a camera shows itself for ${JSON.stringify(reason.slice(0, 12))}`)
              asked.leaks({ frames: pictures })
              if (reason === NO_REASONS[4]) {
                const first = await lending.lend(viewer, said, signal)
                const may = within(seconds(10), signal)
                if (first) await look(world, home.camera, viewer, first, may.signal, () => may.stop())
              }
            }
          }),
        )
        return asked
      },
    },
  },
}

/** What Sam's authenticator app has from now on. */
async function enrolled(staff: StaffRegistry): Promise<Uint8Array> {
  return base32nopad.decode(/secret=([A-Z2-7]+)/.exec(await staff.enrol("sam"))?.[1] ?? "")
}

function codeAt(secret: Uint8Array, steps = 0): string {
  return codeOf(secret, stepAt(Date.now()) + steps)
}

interface Desk {
  readonly desk: SupportDesk
  readonly staff: StaffRegistry
  readonly key: ReturnType<typeof signingKeyOf>
  readonly code: Awaited<ReturnType<typeof newSupportCode>>
  readonly tries: Tries
  readonly records: readonly Access[]
}

/** A desk in a folder of its own, where Sam is an agent without a second factor yet. */
async function atTheDesk(work: (desk: Desk) => Promise<void>): Promise<Tries> {
  const directory = await mkdtemp(join(tmpdir(), "obscura-desk-"))
  try {
    const staff = new StaffRegistry(new ServiceFolder(join(directory, "staff")))
    const records: Access[] = []
    const record = async (access: Access) => void records.push(access)
    const desk = new SupportDesk({ folder: new ServiceFolder(join(directory, "support")), staff, record })
    const key = signingKeyOf(randomBytes(32))
    await staff.add("sam", "agent", key)
    const tries = new Tries()
    await work({ desk, staff, key, code: await newSupportCode(), tries, records })
    return tries
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
