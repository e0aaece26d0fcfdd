import { randomBytes } from "node:crypto"
import { base32nopad } from "@scure/base"
import { type SigningKey, signingKeyOf } from "../../../firmware/control/keys.ts"
import type { Access } from "../../../harness/cloud/log/record-access.ts"
import type { StaffRegistry } from "../../../harness/services/staff/registry.ts"
import type { RoleName } from "../../../harness/services/staff/roles.ts"
import { codeOf, stepAt } from "../../../harness/services/staff/totp.ts"

/** Somebody on the staff, with their key and their authenticator. */
export interface Person {
  readonly name: string
  readonly key: SigningKey
  /** The code of their second factor at that time. */
  code(now: number): string
}

export async function hire(staff: StaffRegistry, name: string, role: RoleName): Promise<Person> {
  const key = signingKeyOf(randomBytes(32))
  await staff.add(name, role, key)
  const secret = secretIn(await staff.enrol(name))
  return { name, key, code: (now) => codeOf(secret, stepAt(now)) }
}

/** Out of what an authenticator app reads. */
export function secretIn(uri: string): Uint8Array {
  return base32nopad.decode(new URL(uri).searchParams.get("secret") ?? "")
}

/** Records as a log would take them. */
export class Recorded {
  readonly all: Access[] = []
  readonly record = async (access: Access): Promise<void> => void this.all.push(access)

  /** Of one mailbox, in words: kind, and what happened. */
  of(device: string): readonly string[] {
    return this.all.filter((each) => each.device === device).map(inWords)
  }
}

function inWords(access: Access): string {
  if (access.kind === "support" || access.kind === "labelling") return `${access.kind} ${access.step}`
  if (access.kind === "request refused") return `refused: ${access.refusal}`
  return access.kind === "consent" ? `consent ${access.change}` : access.kind
}
