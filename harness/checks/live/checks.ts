import "../../virtual/install.ts"

import type { Run } from "../check.ts"
import { checks as ends } from "./ends.ts"
import { checks as grants } from "./grants.ts"
import { checks as sessions } from "./sessions.ts"

export const checks = { ...grants, ...ends, ...sessions } satisfies Readonly<Record<string, Run>>
