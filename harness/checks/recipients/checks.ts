import "../../virtual/install.ts"

import type { Run } from "../check.ts"
import { checks as camera } from "./camera.ts"
import { checks as household } from "./household.ts"

export const checks = { ...camera, ...household } satisfies Readonly<Record<string, Run>>
