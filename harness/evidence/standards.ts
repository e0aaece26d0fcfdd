import { CRA_ANNEX_I } from "./cra-annex-i.ts"
import { EN_303_645 } from "./en-303-645.ts"
import { NIST_IR_8425 } from "./nist-ir-8425.ts"
import type { Standard } from "./provision.ts"

export const STANDARDS: readonly Standard[] = [EN_303_645, CRA_ANNEX_I, NIST_IR_8425]
