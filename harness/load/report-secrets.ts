import { Fault } from "../../firmware/errors.ts"
import { secretsOf } from "../insider/run-secrets.ts"
import { searchSecrets } from "../insider/secret-search.ts"
import type { Owner } from "./pairing.ts"
import type { RunFolder } from "./run-folder.ts"

/**
 * What a run's folder says of it must hold none of the run's secrets, in any spelling.
 * @throws Fault "broken": it does.
 */
export async function checkReports(folder: RunFolder, owners: readonly Owner[]): Promise<void> {
  const secrets = await secretsOf({ homes: [], others: owners })
  if (secrets.length === 0) return
  const { report, html, series, junit, metrics } = folder
  const { found } = await searchSecrets([report, html, series, junit, metrics], secrets)
  const [first] = found
  if (first) throw new Fault("broken", `${first.file} holds ${first.name} in ${first.form}`)
}
