/** A map of bounded size: what was not asked for longest leaves first. */
export class Recent<Value> {
  readonly #most: number
  /** Oldest first. */
  readonly #values = new Map<string, Value>()

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#values.size
  }

  get(name: string): Value | null {
    const value = this.#values.get(name)
    if (value === undefined) return null
    this.set(name, value)
    return value
  }

  set(name: string, value: Value): void {
    this.#values.delete(name)
    this.#values.set(name, value)
    const [oldest] = this.#values.keys()
    if (this.#values.size > this.#most && oldest !== undefined) this.#values.delete(oldest)
  }
}
