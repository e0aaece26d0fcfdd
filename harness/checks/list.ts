import { ACCESS_LOG } from "./access-log/theme.ts"
import { BAD_INPUT } from "./bad-input/theme.ts"
import { BROKER } from "./broker/theme.ts"
import type { Check, Theme } from "./check.ts"
import { IDENTITY } from "./identity/theme.ts"
import { LEAVING } from "./leaving/theme.ts"
import { LIVE } from "./live/theme.ts"
import { MANIFEST } from "./manifest/theme.ts"
import { NO_SEAM } from "./no-seam/theme.ts"
import { PRIVACY } from "./privacy/theme.ts"
import { PRIVACY_MODE } from "./privacy-mode/theme.ts"
import { RECIPIENTS } from "./recipients/theme.ts"
import { RECOGNITION } from "./recognition/theme.ts"
import { SEALING } from "./sealing/theme.ts"
import { SIGNATURES } from "./signatures/theme.ts"
import { TUNING } from "./tuning/theme.ts"
import { UPLOAD } from "./upload/theme.ts"

/** Everything that is checked, theme by theme. Nothing of a theme is loaded before it runs. */
export const THEMES: readonly Theme[] = [
  PRIVACY,
  SEALING,
  SIGNATURES,
  MANIFEST,
  UPLOAD,
  IDENTITY,
  RECIPIENTS,
  LIVE,
  PRIVACY_MODE,
  LEAVING,
  RECOGNITION,
  TUNING,
  ACCESS_LOG,
  BROKER,
  NO_SEAM,
  BAD_INPUT,
]

export const CHECKS: readonly Check[] = THEMES.flatMap(({ rule, checks }) =>
  Object.entries(checks).map(([id, says]) => ({ id, rule, says })),
)
