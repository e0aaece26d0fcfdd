import five, { type Board, type Button, type Led, type Servo, type Switch } from "johnny-five"
import { Fault, messageOf } from "../errors.ts"
import type { PinsIo } from "../ports.ts"
import type { PinNumbers } from "./pins.ts"

/**
 * The one file that makes things of johnny-five.
 *
 * Every component is given its board: without one it binds to the first board of the process. Only components without
 * a poll or an animation: Switch and Button are told of edges, Motion would ask for them every 25 ms.
 */
export interface Components {
  /** Closed while its wire is high. */
  readonly motion: Switch
  readonly bell: Button
  readonly light: Led
  readonly status: Led | null
  readonly infraredCut: Led | null
  readonly shutter: Servo | null
}

type Component = Switch | Button | Led | Servo

/** johnny-five keeps boards and components for ever. A camera that restarts on the same IO finds its own again. */
const boards = new WeakMap<PinsIo, Promise<Board>>()
const components = new WeakMap<Board, Map<string, Component>>()

/** @throws Fault "unavailable", indefinite, if the IO does not become ready. */
export async function componentsOn(io: PinsIo, pins: PinNumbers): Promise<Components> {
  const board = await boardOn(io)
  const made = components.get(board) ?? new Map<string, Component>()
  components.set(board, made)
  const once = <C extends Component>(kind: string, pin: number, make: () => C): C => {
    const component = (made.get(`${kind} ${pin}`) as C | undefined) ?? make()
    made.set(`${kind} ${pin}`, component)
    return component
  }
  return {
    // "NC" leaves the pull-up off and counts high as closed: a PIR drives its wire both ways.
    motion: once(
      "motion",
      pins.motion,
      () => new five.Switch({ id: "motion", board, pin: pins.motion, type: "NC" }),
    ),
    bell: once(
      "bell",
      pins.bell,
      () => new five.Button({ id: "bell", board, pin: pins.bell, isPulldown: true }),
    ),
    light: once("light", pins.light, () => new five.Led({ id: "light", board, pin: pins.light })),
    status: perhaps(pins.status, (pin) => once("status", pin, () => new five.Led({ board, pin }))),
    infraredCut: perhaps(pins.infraredCut, (pin) => once("cut", pin, () => new five.Led({ board, pin }))),
    shutter: perhaps(pins.shutter, (pin) => once("shutter", pin, () => new five.Servo({ board, pin }))),
  }
}

function perhaps<C>(pin: number | undefined, make: (pin: number) => C): C | null {
  return pin === undefined ? null : make(pin)
}

function boardOn(io: PinsIo): Promise<Board> {
  const known = boards.get(io)
  if (known) return known
  const ready = readyBoard(io)
  boards.set(io, ready)
  // The next try begins anew.
  ready.catch(() => boards.delete(io))
  return ready
}

function readyBoard(io: PinsIo): Promise<Board> {
  return new Promise((resolve, reject) => {
    const board = new five.Board({ id: "camera", io, repl: false, debug: false, sigint: false })
    const fail = (cause: unknown) =>
      reject(new Fault("unavailable", `pins: ${messageOf(cause)}`, { definite: false, cause }))
    // An "error" nobody listens for would end the process. Once ready, the board only repeats the IO's own errors, and
    // `wirePins` hears those there; then this changes nothing.
    board.on("error", fail)
    io.once("error", fail)
    board.on("ready", () => {
      io.removeListener("error", fail)
      resolve(board)
    })
  })
}
