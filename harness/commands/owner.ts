import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Command } from "commander"
import { parseConfig } from "../../firmware/config.ts"
import { fromJson } from "../../firmware/control/json.ts"
import { newSetupCode, PAIRING_WITHIN, setupText } from "../../firmware/control/pairing.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { processClock } from "../../hardware/clock.ts"
import { platformRandom } from "../../hardware/random.ts"
import { type CloudIdentity, cloudIdentityShape } from "../cloud/keys.ts"
import { OwnerFolder } from "../owner/folder.ts"
import type { OwnerKeys } from "../owner/keys.ts"
import { LogMemory, pinOf } from "../owner/log-memory.ts"
import { pairAsOwner } from "../owner/pairing.ts"
import { brokerOption, cloudDialler } from "./cloud-address.ts"
import { homeOption, homePaths } from "./options.ts"
import { ownerAlertsCommand } from "./owner-alerts.ts"
import { ownerAnswerCommand } from "./owner-answer.ts"
import { ownerConsentCommand, ownerPlaceCommand, ownerWithdrawCommand } from "./owner-consent.ts"
import { ownerDeleteCommand } from "./owner-delete.ts"
import { ownerHouseholdCommand, ownerRotateCommand } from "./owner-household.ts"
import { ownerLendCommand } from "./owner-lend.ts"
import { ownerLiveCommand } from "./owner-live.ts"
import { ownerLogCommand } from "./owner-log.ts"
import { ownerMembersCommand } from "./owner-members.ts"
import { ownerOpenCommand } from "./owner-open.ts"
import { ownerPostCommand, ownerUnpostCommand } from "./owner-post.ts"
import { ownerPrivacyCommand } from "./owner-privacy.ts"
import { ownerRecoveryKitCommand, ownerRestoreCommand } from "./owner-recovery.ts"
import { ownerResendCommand } from "./owner-resend.ts"
import { ownerSecondFactorCommand } from "./owner-second-factor.ts"
import { ownerShareCommand } from "./owner-share.ts"
import { ownerListCommand, ownerVerifyCommand } from "./owner-vault.ts"
import { ownerWrongCommand } from "./owner-wrong.ts"
import { readPassphrase } from "./passphrase.ts"
import { patience } from "./patience.ts"
import { stopOnSignals } from "./stop.ts"
import { terminalQr } from "./terminal-qr.ts"

export function ownerCommand(): Command {
  return new Command("owner")
    .description(
      "what only the owner can do: keys, pairing, opening what the cameras recorded, asking for it again",
    )
    .addCommand(keysCommand())
    .addCommand(pairCommand())
    .addCommand(ownerListCommand())
    .addCommand(ownerOpenCommand())
    .addCommand(ownerVerifyCommand())
    .addCommand(ownerLogCommand())
    .addCommand(ownerResendCommand())
    .addCommand(ownerDeleteCommand())
    .addCommand(ownerAlertsCommand())
    .addCommand(ownerWrongCommand())
    .addCommand(ownerLiveCommand())
    .addCommand(ownerLendCommand())
    .addCommand(ownerAnswerCommand())
    .addCommand(ownerPlaceCommand())
    .addCommand(ownerConsentCommand())
    .addCommand(ownerWithdrawCommand())
    .addCommand(ownerPostCommand())
    .addCommand(ownerUnpostCommand())
    .addCommand(ownerPrivacyCommand())
    .addCommand(ownerHouseholdCommand())
    .addCommand(ownerMembersCommand())
    .addCommand(ownerRotateCommand())
    .addCommand(ownerShareCommand())
    .addCommand(ownerRecoveryKitCommand())
    .addCommand(ownerRestoreCommand())
    .addCommand(ownerSecondFactorCommand())
}

interface KeysOptions {
  readonly home: string
  readonly postQuantum?: boolean
  readonly passphraseFile?: string
  readonly recoveryKit?: boolean
  readonly identity?: boolean
}

function keysCommand(): Command {
  return new Command("keys")
    .description("make this owner's keys, under a passphrase; or show what can be shown of them")
    .addOption(homeOption())
    .option("--post-quantum", "a household key that also withstands a quantum computer (mlkem768x25519)")
    .option("--passphrase-file <file>", "read the passphrase from a file instead of the terminal")
    .option(
      "--recovery-kit",
      "print the recovery kit: 32 random bytes as text, from which all else follows. Secret!",
    )
    .option(
      "--identity",
      "print the household's keys, old ones too, as age's own tools take them (age -d -i FILE). Secret!",
    )
    .action(async (options: KeysOptions) => {
      const folder = new OwnerFolder(homePaths(options.home).owner)
      const secrets = options.recoveryKit || options.identity
      const keys = secrets ? await openOwner(options) : await makeKeys(folder, options)
      if (options.recoveryKit) console.log(keys.recoveryKit)
      // A damaged book is no reason to keep the kit back.
      if (!options.identity && secrets) return
      const household = await folder.household(keys)
      if (options.identity) console.log(household.keysFor({ from: 0, until: null }).trimEnd())
      else console.log(`recipient ${household.recipient}`)
    })
}

async function makeKeys(folder: OwnerFolder, options: KeysOptions): Promise<OwnerKeys> {
  if (await folder.exists()) {
    console.error("this owner has keys already; --recovery-kit or --identity shows them")
    return openOwner(options)
  }
  const passphrase = await readPassphrase(options.passphraseFile, "A passphrase for the new owner's keys: ")
  return folder.create(options.postQuantum ? "post-quantum" : "x25519", passphrase)
}

/** @throws Fault "usage" or "refused", definite. */
export function openOwner(options: {
  readonly home: string
  readonly passphraseFile?: string
}): Promise<OwnerKeys> {
  return new OwnerFolder(homePaths(options.home).owner).open(() =>
    readPassphrase(options.passphraseFile, "The owner's passphrase: "),
  )
}

interface PairOptions {
  readonly home: string
  readonly broker?: string
  readonly passphraseFile?: string
}

function pairCommand(): Command {
  return new Command("pair")
    .description(
      "show a setup text, and pair with the camera that it is shown to after a press of its button",
    )
    .addOption(homeOption())
    .addOption(brokerOption())
    .option("--passphrase-file <file>", "read the passphrase from a file instead of the terminal")
    .action(async (options: PairOptions) => {
      const folder = new OwnerFolder(homePaths(options.home).owner)
      const keys = await openOwner(options)
      const { recipient } = await folder.household(keys)
      const cloud = await cloudIdentity(homePaths(options.home).cloud)
      const dialler = await cloudDialler(options.home, options.broker)
      const { signal } = stopOnSignals()
      const code = newSetupCode({ name: cloud.name, pin: cloud.brokerKey })
      console.error(
        `Press the camera's button, then show it this text within ${PAIRING_WITHIN / 60_000} minutes:\n`,
      )
      console.log(setupText(code))
      if (process.stdout.isTTY) console.log(`\n${terminalQr(setupText(code))}`)
      const parts = {
        dialler,
        clock: processClock(),
        random: platformRandom,
        log: { write: () => undefined },
      }
      const until = patience(signal, PAIRING_WITHIN)
      const camera = await pairAsOwner(code, keys, cloud, parts, parseConfig().link, until, recipient)
      if (!camera)
        throw new Fault("unavailable", "no camera answered; the text is dead now, ask for a new one")
      await new LogMemory(homePaths(options.home).owner).pin(camera.id, cloud)
      await folder.addPaired(camera, keys, Date.now(), pinOf(cloud))
      console.error(`\npaired with camera ${camera.id}`)
    })
}

/** What the cloud in `directory` says that it is. @throws Fault "usage", definite. */
export async function cloudIdentity(directory: string): Promise<CloudIdentity> {
  const file = join(directory, "identity.json")
  const advice = 'start "obscura cloud" there once, or name the household with --home'
  try {
    return fromJson((await readFile(file)).subarray(0, -1), cloudIdentityShape, "identity", 2_000)
  } catch (cause) {
    if (isFault(cause)) throw new Fault("usage", `${file}: ${cause.message}; ${advice}`, { cause })
    const isAway = cause instanceof Error && "code" in cause && cause.code === "ENOENT"
    throw new Fault(
      "usage",
      `${file}: ${isAway ? "no cloud has left its identity there" : messageOf(cause)}; ${advice}`,
      { cause },
    )
  }
}
