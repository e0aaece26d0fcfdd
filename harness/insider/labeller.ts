import { randomBytes } from "node:crypto"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { base32nopad } from "@scure/base"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { minutes, type UnixMilliseconds } from "../../firmware/units.ts"
import { Tries } from "../checks/check.ts"
import type { Access } from "../cloud/log/record-access.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { Vault } from "../owner/vault.ts"
import { LabellingIntake } from "../services/labelling/intake.ts"
import { type Offer, OwnerConsents } from "../services/labelling/owner-consents.ts"
import { defaultFor, Policies } from "../services/labelling/policy.ts"
import { type LabellingIdentity, LabellingStore } from "../services/labelling/store.ts"
import { Workplace } from "../services/labelling/workplace.ts"
import { Board } from "../services/neighbours/board.ts"
import { OwnerPosts } from "../services/neighbours/owner-posts.ts"
import { signPost } from "../services/neighbours/post.ts"
import { filmCopy } from "../services/offering/film-copy.ts"
import { newObject } from "../services/offering/new-object.ts"
import { ServiceFolder } from "../services/service-folder.ts"
import { StaffRegistry } from "../services/staff/registry.ts"
import { loginRequest, Sessions } from "../services/staff/sessions.ts"
import { codeOf, stepAt } from "../services/staff/totp.ts"
import type { Home } from "./home.ts"
import type { Insider, World } from "./world.ts"

const HOUR = minutes(60)

/** Works through what owners have offered, and would go on with what they have not, or not any more. */
export const labeller: Insider = {
  name: "labeller",
  has: "the labelling service's folder and key, a login with both factors, copies of what they saw",
  attempts: {
    C6: {
      when: "after",
      run: (world) =>
        atWork(world, async ({ home, film, offer, tries, workplace, token, intake, consents, folder }) => {
          const object = await offer(film, HOUR)
          await workplace.label(token, object, "person", { second: 0, x: 0, y: 0, width: 8, height: 8 })
          await workplace.export(token, "rows-1", "train recognition")
          await workplace.addModel(token, "model-1", { dataset: "rows-1", base: null })
          const before = await traces(folder, object)
          if (before.length < 2) throw new Error("there was nothing to remove")
          const removal = await consents.withdraw(object, intake)
          tries.holds(removal?.models.includes("model-1") === true, "a model that used the clip is not named")
          tries.holds((removal?.crops.length ?? 0) === 1, "a crop of it is not named")
          const left = await traces(folder, object)
          tries.holds(left.length === 0, `after the withdrawal ${left[0]} still has it`)
          const { models, recalled } = await workplace.models(token)
          tries.holds(!models.some(({ name }) => name === "model-1"), "the model is listed still")
          tries.holds(recalled.includes("model-1"), "the model is not recalled")
          await tries.refused(() => workplace.open(token, object), "a withdrawn clip opens")
          // And does not come back, by whoever kept it.
          await tries.refused(() => offer(film, HOUR), `pictures of home ${home.index} come back`)
        }),
    },
    C20: {
      when: "after",
      run: (world) =>
        atWork(
          world,
          async ({ home, film, tries, workplace, token, intake, service, board, directory, now }) => {
            const posts = new OwnerPosts(join(directory, "owner"), home.keys)
            const { object } = await posts.post(film, now() + HOUR, board)
            tries.holds((await workplace.queue(token)).length === 0, "a post is in the labelling queue")
            await tries.refused(() => workplace.open(token, object), "a post opens for a labeller")
            const posted = await board.file(object)
            if (posted === null) throw new Error("the post is not there")
            const { id, file, hash } = await newObject(film, service.recipient)
            const key = home.keys.signingKeyForOffer(id)
            const word = signPost({ object: id, file: hash, expires: now() + HOUR }, key)
            await tries.refused(
              () => intake.offer(word, file),
              "the owner's word for a post passes for consent",
            )
            await tries.refused(() => intake.offer(word, posted), "the posted file is taken for labelling")
            const queued = await workplace.queue(token)
            tries.holds(queued.length === 0, "a post has come into the queue")
            tries.leaks({ clips: queued.map((item) => item.object) })
          },
        ),
    },
    C21: {
      when: "after",
      run: (world) =>
        atWork(world, async (work) => {
          const {
            film,
            rest,
            offer,
            tries,
            workplace,
            token,
            intake,
            consents,
            service,
            home,
            sleep,
            now,
            folder,
            indoor,
          } = work
          // Of a camera of which nobody has said where it is.
          await tries.refused(
            () => consents.offer(offerOf(indoor, rest, now() + HOUR), service, intake),
            "a clip of an indoor camera is offered by default",
          )
          const short = await offer(film, minutes(10))
          tries.holds(
            (await workplace.queue(token)).some((item) => item.object === short),
            "what is offered is not there",
          )
          sleep(minutes(11))
          const queued = await workplace.queue(token)
          tries.holds(queued.length === 0, "an expired clip is in the queue")
          tries.leaks({ clips: queued.map((item) => item.object) })
          await tries.refused(() => workplace.open(token, short), "an expired clip opens")
          const left = await traces(folder, short)
          tries.holds(left.length === 0, `after its expiry ${left[0]} still has it`)
          await tries.refused(
            () => consents.offer(offerOf(home.camera.id, film, now() - 1), service, intake),
            "an expired consent is taken",
          )
        }),
    },
  },
}

interface Work {
  readonly home: Home
  /** Of a camera that nobody has spoken of. */
  readonly indoor: string
  /** Its first second, and what comes after it: no picture is in both. */
  readonly film: Uint8Array
  readonly rest: Uint8Array
  readonly directory: string
  readonly folder: string
  readonly tries: Tries
  readonly workplace: Workplace
  readonly token: string
  readonly intake: LabellingIntake
  readonly consents: OwnerConsents
  readonly service: LabellingIdentity
  readonly board: Board
  readonly now: () => UnixMilliseconds
  readonly sleep: (time: number) => void
  /** By the home's owner, for so long. Its object. */
  readonly offer: (film: Uint8Array, time: number) => Promise<string>
}

/** The labelling service in a folder of its own, and what the first home recorded, as its owner has it. */
async function atWork(world: World, work: (work: Work) => Promise<void>): Promise<Tries> {
  const [home, other] = world.homes
  if (!home || !other) throw new Error("a world without homes")
  const directory = await mkdtemp(join(tmpdir(), "obscura-labelling-"))
  try {
    let later = 0
    const now = () => Date.now() + later
    const records: Access[] = []
    const record = async (access: Access) => void records.push(access)
    const staff = new StaffRegistry(new ServiceFolder(join(directory, "staff")), now)
    const sessions = new Sessions(new ServiceFolder(join(directory, "staff")), staff, now)
    const folder = join(directory, "labelling")
    const store = new LabellingStore(new ServiceFolder(folder))
    const intake = new LabellingIntake({ store, record, now })
    const key = signingKeyOf(randomBytes(32))
    await staff.add("lou", "labeller", key)
    const secret = base32nopad.decode(/secret=([A-Z2-7]+)/.exec(await staff.enrol("lou"))?.[1] ?? "")
    const token = await sessions.begin(loginRequest("lou", key), codeOf(secret, stepAt(now())))
    const service = { recipient: (await store.keys()).recipient }
    const consents = new OwnerConsents(join(directory, "owner"), home.keys)
    await new Policies(join(directory, "owner")).keep(home.camera.id, defaultFor("outdoor"))
    const tries = new Tries()
    const clip = await clipOf(world, home)
    await work({
      ...{ home, indoor: other.camera.id, directory, folder, tries, token, intake, consents, service, now },
      film: filmCopy(clip, { from: 0, to: 1 }).bytes,
      rest: filmCopy(clip, { from: 1, to: Number.POSITIVE_INFINITY }).bytes,
      workplace: new Workplace({ store, record, now, intake, sessions }),
      board: new Board({ folder: new ServiceFolder(join(directory, "board")), record, now }),
      sleep: (time) => {
        later += time
      },
      offer: (film, time) => consents.offer(offerOf(home.camera.id, film, now() + time), service, intake),
    })
    return tries
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const offerOf = (device: string, film: Uint8Array, expires: UnixMilliseconds): Offer => ({
  ...{ device, film, purpose: "train recognition", expires, changed: [] },
})

/** The home's first whole clip, opened by its owner. */
async function clipOf({ holdings }: World, { camera, keys }: Home): Promise<Uint8Array> {
  const vault = new Vault(bucketSource(await holdings.readBucket()), camera, keys.identity)
  const whole = (await vault.view()).clips.find((clip) => clip.whole)
  if (!whole) throw new Error("no whole clip of the first home")
  return vault.openClip(whole)
}

/** Files of the service whose name or content names the object; its crops are files too. */
async function traces(folder: string, object: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const found: string[] = []
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name)
    const isCrop = entry.parentPath.endsWith("crops")
    if (isCrop || entry.name.includes(object) || (await readFile(path)).includes(object))
      found.push(entry.name)
  }
  return found
}
