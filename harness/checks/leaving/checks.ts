import type { Run } from "../check.ts"
import { checks as copies } from "./copies.ts"
import { checks as recorded } from "./recorded.ts"

export const checks = { ...copies, ...recorded } satisfies Readonly<Record<string, Run>>
