import { Fault } from "../../firmware/errors.ts"
import type { Milliseconds } from "../../firmware/units.ts"

/**
 * The time of the world, from before `virtual/install.ts` replaced it. Pins and lenses of a real board keep no other.
 * Import it before that.
 *
 * @throws Fault "usage", definite: it is replaced already.
 */
export const wall: Wall = known() ?? keep()

interface Wall {
  now(): Milliseconds
  pause(duration: Milliseconds): Promise<void>
}

function known(): Wall | undefined {
  const kept: unknown = Reflect.get(globalThis, Symbol.for("obscura wall time"))
  return kept as Wall | undefined
}

function keep(): Wall {
  if (Reflect.has(globalThis, Symbol.for("obscura virtual time")))
    throw new Fault("usage", "twin: import its wall.ts first; time is virtual already")
  const { setTimeout } = globalThis
  const kept = {
    now: performance.now.bind(performance),
    pause: (duration: Milliseconds) =>
      new Promise<void>((resolve) => {
        setTimeout(resolve, duration)
      }),
  }
  Reflect.set(globalThis, Symbol.for("obscura wall time"), kept)
  return kept
}
