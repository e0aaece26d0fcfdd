import type { Run } from "../check.ts"
import { checks as cloud } from "./cloud.ts"
import { checks as owner } from "./owner.ts"

export const checks = { ...owner, ...cloud } satisfies Readonly<Record<string, Run>>
