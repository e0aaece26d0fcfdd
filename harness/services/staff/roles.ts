import type { Seconds } from "../../../firmware/units.ts"

/** What somebody who works here may do. Nothing in this list opens anything: that takes an owner's signature. */
export interface Role {
  /** The longest look they may ask an owner for; 0: they may not ask. */
  readonly asksSeconds: Seconds
  /** Works on clips that owners have consented to. */
  readonly labels: boolean
}

export const ROLES = {
  agent: { asksSeconds: 300, labels: false },
  engineer: { asksSeconds: 600, labels: false },
  labeller: { asksSeconds: 0, labels: true },
  /** Keeps the list of staff. Sees nothing: whoever appoints themselves to everything is still asked for the owner's word. */
  administrator: { asksSeconds: 0, labels: false },
} as const satisfies Readonly<Record<string, Role>>
export type RoleName = keyof typeof ROLES
export const ROLE_NAMES = Object.keys(ROLES) as readonly RoleName[]
