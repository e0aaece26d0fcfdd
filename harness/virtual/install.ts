import { createRequire, syncBuiltinESMExports } from "node:module"
import { promisify } from "node:util"
import { Fault } from "../../firmware/errors.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { VirtualTime } from "./time.ts"
import { clearTimer, type VirtualTimer } from "./timer.ts"
import { timerPromises } from "./timer-promises.ts"

/**
 * Replaces the time of this process, once and for good, when it is imported: `setTimeout`, `setInterval`,
 * `setImmediate` and their opposites, `node:timers` and `node:timers/promises`, `Date`, `performance.now`,
 * `process.hrtime` and `AbortSignal.timeout`. WebCrypto stays real; time waits for it.
 *
 * Import it before anything that tells or measures time, in a process or test file of its own.
 *
 * @throws Fault "usage", definite: what owns timers has been loaded already.
 */
const INSTALLED = Symbol.for("obscura virtual time")
const require = createRequire(import.meta.url)

export const time: VirtualTime = installed() ?? install()

function installed(): VirtualTime | undefined {
  const known: unknown = Reflect.get(globalThis, INSTALLED)
  return known as VirtualTime | undefined
}

function install(): VirtualTime {
  // Those that are only linked, and will run later, are there too, but not loaded.
  const early = Object.values(require.cache).some(
    (module) => module?.loaded && /\/node_modules\/(mqtt|johnny-five)\//.test(module.filename),
  )
  if (early)
    throw new Fault(
      "usage",
      "virtual time: import it first; a library with timers of its own is loaded already",
    )
  const time = new VirtualTime()
  Reflect.set(globalThis, INSTALLED, time)
  const timers = timersOn(time)
  const promises = timerPromises(timers)
  Object.defineProperty(timers.setTimeout, promisify.custom, { value: promises.setTimeout })
  Object.defineProperty(timers.setImmediate, promisify.custom, { value: promises.setImmediate })
  Object.assign(globalThis, timers)
  Object.assign(require("node:timers"), timers)
  Object.assign(require("node:timers/promises"), promises)
  syncBuiltinESMExports()
  replaceClocks(time)
  countCrypto(time)
  return time
}

type Callback = (...args: unknown[]) => unknown

function timersOn(time: VirtualTime) {
  const { setImmediate, clearImmediate } = globalThis
  const pending = new WeakMap<object, () => void>()
  return {
    setTimeout: (callback: Callback, delay?: unknown, ...args: unknown[]): VirtualTimer =>
      time.setTimer(callback, delay, args, false),
    setInterval: (callback: Callback, delay?: unknown, ...args: unknown[]): VirtualTimer =>
      time.setTimer(callback, delay, args, true),
    clearTimeout: clearTimer,
    clearInterval: clearTimer,
    setImmediate(callback: Callback, ...args: unknown[]): NodeJS.Immediate {
      if (typeof callback !== "function")
        throw new TypeError('The "callback" argument must be of type function.')
      const done = time.holdImmediate()
      const immediate = setImmediate(() => {
        pending.delete(immediate)
        done()
        callback(...args)
      })
      pending.set(immediate, done)
      return immediate
    },
    clearImmediate(immediate?: NodeJS.Immediate): void {
      if (immediate === undefined || immediate === null) return
      pending.get(immediate)?.()
      pending.delete(immediate)
      clearImmediate(immediate)
    },
  }
}

function replaceClocks(time: VirtualTime): void {
  const RealDate = globalThis.Date
  class VirtualDate extends RealDate {
    constructor(...args: unknown[]) {
      if (args.length === 0) super(time.unixNow)
      else super(...(args as [number]))
    }

    static override now(): number {
      return time.unixNow
    }
  }
  // Called without `new`, Date is a text of now; and dates from before are dates.
  const date = new Proxy(VirtualDate, { apply: () => new VirtualDate().toString() })
  Object.defineProperty(VirtualDate, Symbol.hasInstance, {
    value: (object: unknown) => object instanceof RealDate,
  })
  globalThis.Date = date as unknown as DateConstructor
  Object.defineProperty(performance, "now", { configurable: true, writable: true, value: () => time.now })
  const hrtime = (before: [number, number] = [0, 0]): [number, number] => {
    const nanoseconds = time.now * 1e6 - before[0] * 1e9 - before[1]
    return [Math.floor(nanoseconds / 1e9), nanoseconds % 1e9]
  }
  process.hrtime = Object.assign(hrtime, { bigint: () => BigInt(time.now) * 1_000_000n })
  AbortSignal.timeout = (delay: Milliseconds) => {
    const controller = new AbortController()
    const abort = () =>
      controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"))
    time.setTimer(abort, delay, [], false)
    return controller.signal
  }
}

/** WebCrypto answers from the thread pool, whenever that is done. */
function countCrypto(time: VirtualTime): void {
  const subtle: object = Object.getPrototypeOf(globalThis.crypto.subtle)
  for (const name of Object.getOwnPropertyNames(subtle)) {
    const method: unknown = Reflect.get(subtle, name)
    if (name === "constructor" || typeof method !== "function") continue
    const counted = function (this: unknown, ...args: unknown[]): unknown {
      return time.busyWhile(Promise.resolve(method.apply(this, args)))
    }
    Object.defineProperty(subtle, name, { configurable: true, writable: true, value: counted })
  }
}
