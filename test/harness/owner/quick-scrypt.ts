import { Encrypter } from "age-encryption"
import { vi } from "vitest"

/** Until mocks are restored: scrypt is slow on purpose, and what it costs is not what is tested here. */
export function quickScrypt(): void {
  const setPassphrase = Encrypter.prototype.setPassphrase
  vi.spyOn(Encrypter.prototype, "setPassphrase").mockImplementation(function (this: Encrypter, text) {
    setPassphrase.call(this, text)
    this.setScryptWorkFactor(10)
  })
}
