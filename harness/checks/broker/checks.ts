import type { Run } from "../check.ts"
import { checks as door } from "./door.ts"
import { checks as rules } from "./rules.ts"

export const checks = { ...rules, ...door } satisfies Readonly<Record<string, Run>>
