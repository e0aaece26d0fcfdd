import "../../virtual/install.ts"

import type { Run } from "../check.ts"
import { checks as owner } from "./owner.ts"
import { checks as pairing } from "./pairing.ts"
import { checks as password } from "./password.ts"
import { checks as reset } from "./reset.ts"

export const checks = { ...password, ...pairing, ...reset, ...owner } satisfies Readonly<Record<string, Run>>
