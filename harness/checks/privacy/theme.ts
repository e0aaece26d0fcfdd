import { CHECK_IDS, type CheckId, PRIVACY_CHECKS } from "../../insider/privacy-checks.ts"
import { theme } from "../check.ts"

/** C1 to C21: what insiders of `harness/insider` try, in a street of their own. */
export const PRIVACY = theme({
  rule: "Privacy",
  checks: Object.fromEntries(CHECK_IDS.map((id) => [id, PRIVACY_CHECKS[id].says])) as Record<CheckId, string>,
  load: () => import("./checks.ts"),
})
