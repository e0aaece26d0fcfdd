import type { Mistake } from "../mistake.ts"
import { accessLog } from "./access-log.ts"
import { badInput } from "./bad-input.ts"
import { broker } from "./broker.ts"
import { identity } from "./identity.ts"
import { leaving } from "./leaving.ts"
import { live } from "./live.ts"
import { manifest } from "./manifest.ts"
import { mixedUp } from "./mixed-up.ts"
import { noSeam } from "./no-seam.ts"
import { privacy } from "./privacy.ts"
import { privacyMode } from "./privacy-mode.ts"
import { recipients } from "./recipients.ts"
import { recognition } from "./recognition.ts"
import { sealing } from "./sealing.ts"
import { signatures } from "./signatures.ts"
import { tuning } from "./tuning.ts"
import { upload } from "./upload.ts"

/** Every mistake, and so every row of `obscura mutants`. */
export const MISTAKES: readonly Mistake[] = [
  ...privacy,
  ...mixedUp,
  ...sealing,
  ...signatures,
  ...manifest,
  ...upload,
  ...identity,
  ...recipients,
  ...live,
  ...privacyMode,
  ...leaving,
  ...recognition,
  ...tuning,
  ...accessLog,
  ...broker,
  ...noSeam,
  ...badInput,
]
