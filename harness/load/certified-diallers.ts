import { openIdentity } from "../../firmware/control/identity.ts"
import type { Dialler, Disk } from "../../firmware/ports.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import type { ClientAuthority } from "../cloud/client-authority.ts"

/** Each camera's own way to the broker, with a certificate made out to its device id. */
export function certifiedDiallers(url: string, authority: ClientAuthority): (disk: Disk) => Dialler {
  return (disk) => ({
    async dial(pin, signal) {
      const { device } = await openIdentity(disk)
      return networkDialler(url, { client: authority.issue(device) }).dial(pin, signal)
    },
  })
}
