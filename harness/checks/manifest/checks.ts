import type { Run } from "../check.ts"
import { checks as camera } from "./camera.ts"
import { checks as cloud } from "./cloud.ts"
import { checks as owner } from "./owner.ts"

export const checks = { ...camera, ...cloud, ...owner } satisfies Readonly<Record<string, Run>>
