import { reader } from "./claims.ts"
import { eavesdropper } from "./eavesdropper.ts"
import { executive } from "./executive.ts"
import { guesser } from "./guesser.ts"
import { installer } from "./installer.ts"
import { labeller } from "./labeller.ts"
import { logKeeper } from "./log-keeper.ts"
import { logReader } from "./log-reader.ts"
import { mixedUpCache } from "./mixed-up-cache.ts"
import { removedMember } from "./removed-member.ts"
import { researchTeam } from "./research-team.ts"
import { superAdmin } from "./super-admin.ts"
import { supportAgent } from "./support-agent.ts"
import { supportHost } from "./support-host.ts"
import type { Insider } from "./world.ts"

/** Everyone who would look, one file each. */
export const INSIDERS: readonly Insider[] = [
  researchTeam,
  executive,
  labeller,
  supportAgent,
  installer,
  superAdmin,
  supportHost,
  logKeeper,
  logReader,
  mixedUpCache,
  eavesdropper,
  removedMember,
  guesser,
  reader,
]
