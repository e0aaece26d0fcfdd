import "../../virtual/install.ts"

import type { Run } from "../check.ts"
import { checks as kinds } from "./kinds.ts"
import { checks as upload } from "./withheld-upload.ts"
import { checks as words } from "./withheld-words.ts"

export const checks = { ...kinds, ...upload, ...words } satisfies Readonly<Record<string, Run>>
