import { openIdentity } from "../../../firmware/control/identity.ts"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { type Check, type Finding, fail, type Jig, judged } from "../check.ts"
import { sameKey } from "../seen.ts"
import type { KeyFile } from "../world.ts"

/** Seeds that somebody else has as well: nothing but noughts or ones, a count, and those that standards print. */
const WELL_KNOWN_SEEDS = [
  "00".repeat(32),
  "ff".repeat(32),
  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
  // RFC 8032 §7.1, tests 1 to 3.
  "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
  "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f06b94ce3a83b3b54d3ea",
]

/**
 * The camera has a key, nobody else on the board may read it, and no other board has it. The last a board alone cannot
 * know: earlier boards' records tell.
 */
export const key: Check = {
  name: "key",
  mandatory: true,
  async run(jig): Promise<Finding> {
    const { world, seen, serial } = jig
    const file = await world.keyFile()
    if (file === null)
      return fail(
        "there is none yet: the service makes it (sudo systemctl start obscura-camera), then test again",
      )
    const { device } = await openIdentity(world.disk())
    const measured = {
      ...{ device, mode: file.mode.toString(8), folderMode: file.folderMode.toString(8) },
      comparedWith: seen.length,
    }
    return judged(
      [open(file), wellKnown(device), sameKey({ device, serial }, seen)],
      seen.length > 0
        ? `${device}, unlike those of ${seen.length} records`
        : `${device}; --seen compares it with earlier boards`,
      measured,
      { mode: "600", folderMode: "700" },
    )
  },
}

/** The device id of the board in hand; null: it has no key yet. @throws Fault "malformed": a damaged file. */
export async function deviceOf({ world }: Pick<Jig, "world">): Promise<string | null> {
  return (await world.keyFile()) === null ? null : (await openIdentity(world.disk())).device
}

function open({ mode, folderMode, ours }: KeyFile): string | null {
  if (!ours) return "the key is another user's: sudo chown -R obscura: /var/lib/obscura"
  if ((mode & 0o077) !== 0 || (folderMode & 0o077) !== 0)
    return `others may read the key (file ${mode.toString(8)}, folder ${folderMode.toString(8)}): make a new one, for this one may be known: hold the button through a boot`
  return null
}

function wellKnown(device: string): string | null {
  const known = WELL_KNOWN_SEEDS.some((seed) => signingKeyOf(Buffer.from(seed, "hex")).id === device)
  return known ? "the key is one that everybody knows: hold the button through a boot, for a new one" : null
}
