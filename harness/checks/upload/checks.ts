import "../../virtual/install.ts"

import type { Run } from "../check.ts"
import { checks as camera } from "./camera.ts"
import { checks as cloud } from "./cloud.ts"

export const checks = { ...camera, ...cloud } satisfies Readonly<Record<string, Run>>
