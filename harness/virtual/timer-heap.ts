import type { Milliseconds } from "../../firmware/units.ts"
import type { VirtualTimer } from "./timer.ts"

/**
 * Timers by instant, then by the order in which they were set: a binary heap. A timer that is set anew or cleared stays
 * where it is until it comes up, and is then put where it belongs, or dropped: brokers set one anew for every packet.
 */
export class TimerHeap {
  readonly #heap: VirtualTimer[] = []

  put(timer: VirtualTimer): void {
    if (timer.held) return
    timer.held = true
    timer.heldAt = timer.at
    timer.heldOrder = timer.order
    this.#heap.push(timer)
    this.#up(this.#heap.length - 1)
  }

  /** The next instant at which a timer is due; null: never. */
  next(): Milliseconds | null {
    return this.#head()?.heldAt ?? null
  }

  /** Takes the next timer that is due at `instant`; null: no more. */
  take(instant: Milliseconds): VirtualTimer | null {
    const head = this.#head()
    if (head === undefined || head.heldAt !== instant) return null
    this.#removeHead()
    head.take()
    return head
  }

  #head(): VirtualTimer | undefined {
    for (;;) {
      const head = this.#heap[0]
      if (head === undefined) return undefined
      if (!head.cleared && head.heldOrder === head.order) return head
      this.#removeHead()
      head.held = false
      if (!head.cleared) this.put(head)
    }
  }

  #removeHead(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#down(0)
  }

  #up(from: number): void {
    const heap = this.#heap
    const timer = heap[from] as VirtualTimer
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      const other = heap[parent] as VirtualTimer
      if (!isBefore(timer, other)) break
      heap[at] = other
      at = parent
    }
    heap[at] = timer
  }

  #down(from: number): void {
    const heap = this.#heap
    const timer = heap[from] as VirtualTimer
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child] as VirtualTimer)) child++
      const other = heap[child] as VirtualTimer
      if (!isBefore(other, timer)) break
      heap[at] = other
      at = child
    }
    heap[at] = timer
  }
}

function isBefore(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.heldAt === b.heldAt ? a.heldOrder < b.heldOrder : a.heldAt < b.heldAt
}
