import { Fault } from "../firmware/errors.ts"
import type { Disk, Store } from "../firmware/ports.ts"

/**
 * A disk behind a power switch. What is under way when the power goes never answers: it rejects with Fault
 * "unavailable", indefinite, like everything after it until `restore`.
 */
export class SwitchedDisk implements Disk {
  readonly private: Store
  readonly #disk: Disk
  readonly #own: Store
  #powered = true
  /** Told at the moment of a cut. */
  onCut: () => void = () => undefined

  constructor(disk: Disk) {
    this.#disk = disk
    this.#own = this.#switched(disk)
    this.private = this.#switched(disk.private)
  }

  cut(): void {
    if (!this.#powered) return
    this.#powered = false
    this.onCut()
  }

  restore(): void {
    this.#powered = true
  }

  put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    return this.#own.put(name, parts)
  }

  get(name: string): Promise<Uint8Array | null> {
    return this.#own.get(name)
  }

  remove(name: string): Promise<void> {
    return this.#own.remove(name)
  }

  list(prefix: string): ReturnType<Store["list"]> {
    return this.#own.list(prefix)
  }

  free(): Promise<number> {
    return this.#while(() => this.#disk.free())
  }

  #switched(store: Store): Store {
    return {
      put: (name, parts) => this.#while(() => store.put(name, parts)),
      get: (name) => this.#while(() => store.get(name)),
      remove: (name) => this.#while(() => store.remove(name)),
      list: (prefix) => this.#while(() => store.list(prefix)),
    }
  }

  async #while<T>(call: () => Promise<T>): Promise<T> {
    this.#check()
    const result = await call()
    this.#check()
    return result
  }

  #check(): void {
    if (!this.#powered) throw new Fault("unavailable", "disk: the power was cut", { definite: false })
  }
}
