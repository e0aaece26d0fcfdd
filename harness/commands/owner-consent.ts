import { Argument, type Command, Option } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { OwnerFolder } from "../owner/folder.ts"
import { PURPOSES, type Purpose } from "../services/labelling/consent.ts"
import { OwnerConsents } from "../services/labelling/owner-consents.ts"
import { defaultFor, Policies, type Policy } from "../services/labelling/policy.ts"
import { openServices } from "../services/services.ts"
import { type CopyOptions, copyOf, ownClip, withCopyOptions } from "./offered-clip.ts"
import { homePaths, wholeNumber } from "./options.ts"
import { openOwner } from "./owner.ts"
import { cameraNamed } from "./owner-camera.ts"
import { openHousehold, type VaultOptions, vaultCommand } from "./owner-vault.ts"

interface ConsentOptions extends VaultOptions, CopyOptions {
  readonly purpose?: Purpose
  readonly days: number
}

const DAY = 24 * 3_600_000
const CONSENT_HELP = `
A consent is for one clip, one purpose and some days, and nothing follows from it for any other. A camera of which you have
not said that it looks at the outside is taken to be indoors, and indoors clips are never offered ("obscura owner place").
Without a clip your consents are listed.`

export function ownerConsentCommand(): Command {
  return withCopyOptions(vaultCommand("consent", "let one clip be labelled, for one purpose and some days"))
    .addArgument(
      new Argument("[clip]", "the clip's id, or its beginning; without one, what you have consented to"),
    )
    .addOption(new Option("--purpose <purpose>", "what for").choices(PURPOSES))
    .addOption(new Option("--days <n>", "for how long").argParser(wholeNumber(1, 365)).default(30))
    .addHelpText("after", CONSENT_HELP)
    .action(async (wanted: string | undefined, options: ConsentOptions) => {
      const { household } = await openHousehold(options)
      const paths = homePaths(options.home)
      const consents = new OwnerConsents(paths.owner, household.keys)
      if (wanted === undefined) return list(consents)
      const { purpose } = options
      if (purpose === undefined)
        throw new Fault(
          "usage",
          `consent: what for? --purpose ${PURPOSES.map((each) => `"${each}"`).join(" or ")}`,
        )
      const { camera, vault, clip } = await ownClip(wanted, options, household)
      // Before anything is opened or asked.
      await new Policies(paths.owner).check(camera.id)
      const { film, changed } = await copyOf(vault, clip, options)
      const { store, intake } = openServices(paths.cloud).labelling
      const expires = Date.now() + options.days * DAY
      const offer = { device: camera.id, film: film.bytes, changed, purpose, expires }
      console.log(`consent ${await consents.offer(offer, await store.identity(), intake)}`)
      console.error(
        `${film.pictures} pictures, ${film.duration.toFixed(1)} s, ${changed.join(", ") || "as they are"}; "obscura owner withdraw" ends it`,
      )
    })
}

async function list(consents: OwnerConsents): Promise<void> {
  const all = await consents.all()
  for (const { object, purpose, expires, withdrawn } of all) {
    const state = withdrawn
      ? "withdrawn"
      : `${expires <= Date.now() ? "expired" : "until"} ${new Date(expires).toISOString().slice(0, 10)}`
    console.log(`${object}  to ${purpose}, ${state}`)
  }
  if (all.length === 0) console.log("no consents: nothing of yours is labelled")
}

const WITHDRAW_HELP = `
The service removes the clip, what was cut out of it, its labels and its rows in data sets, takes the models that were made
with it off its list, and names them here. That they and every copy are gone elsewhere too is a promise of people. A consent
of a folder that is lost is withdrawn by its id all the same.`

export function ownerWithdrawCommand(): Command {
  return vaultCommand("withdraw", "end a consent: what was made of that clip goes")
    .addArgument(new Argument("<consent>", "its id, as consent printed it, or the beginning of it"))
    .addHelpText("after", WITHDRAW_HELP)
    .action(async (wanted: string, options: VaultOptions) => {
      const paths = homePaths(options.home)
      const consents = new OwnerConsents(paths.owner, await openOwner(options))
      const found = (await consents.all()).filter(({ object }) => object.startsWith(wanted))
      const [kept] = found
      const object = kept && found.length === 1 ? kept.object : wanted
      if (!/^[0-9a-f]{32}$/.test(object))
        throw new Fault(
          "usage",
          `${found.length || "no"} consents begin with ${JSON.stringify(wanted.slice(0, 40))}; "obscura owner consent" lists them`,
        )
      const removal = await consents.withdraw(object, openServices(paths.cloud).labelling.intake)
      if (removal === null) return console.log("the service has nothing of it, or nothing any more")
      const rows = Object.entries(removal.rows).map(([name, count]) => `${count} rows of ${name}`)
      console.log(
        ["removed: the clip", `${removal.labels} labels`, `${removal.crops.length} crops`, ...rows].join(
          ", ",
        ),
      )
      for (const model of removal.models) console.log(`made with it, and must go: model ${model}`)
    })
}

interface PlaceOptions extends VaultOptions {
  readonly labelling?: Policy["labelling"]
}

export function ownerPlaceCommand(): Command {
  return vaultCommand("place", "say where a camera looks, and whether its clips may ever be offered")
    .addArgument(new Argument("<camera>", "its id, or the beginning of it"))
    .addArgument(new Argument("[place]", "without it, what is known is shown").choices(["outdoor", "indoor"]))
    .addOption(
      new Option(
        "--labelling <when>",
        "outdoor: ask, unless you say never; indoor: never, unless you say ask",
      ).choices(["never", "ask"]),
    )
    .action(async (name: string, place: Policy["place"] | undefined, { home, labelling }: PlaceOptions) => {
      const { owner } = homePaths(home)
      const camera = await cameraNamed(new OwnerFolder(owner), name)
      const policies = new Policies(owner)
      const before = await policies.of(camera.id)
      const chosen = place === undefined ? before : defaultFor(place)
      const policy = labelling === undefined ? chosen : { ...chosen, labelling }
      if (place !== undefined || labelling !== undefined) await policies.keep(camera.id, policy)
      const when = policy.labelling === "ask" ? "only with your consent to each clip" : "never"
      console.log(`camera ${camera.id}: ${policy.place}; labelled ${when}`)
    })
}
