import type { Duplex } from "node:stream"
import { Fault } from "../firmware/errors.ts"
import type { Connection, Dialler } from "../firmware/ports.ts"
import { duplexPair } from "./duplex-pair.ts"

export interface MemoryBroker {
  /** Takes the broker's end of a new connection, as `aedes.handle` does. */
  accept(stream: Duplex): void
  /** SHA-256 (hex) of the key that this broker would prove; null: none, like one on plain TCP. */
  readonly pin?: string | null
}

/** Connections without a network: one end to the camera, the other to `broker`. */
export function memoryDialler({ accept, pin: proven = null }: MemoryBroker): Dialler {
  return {
    async dial(pin: string | null, signal: AbortSignal): Promise<Connection> {
      if (signal.aborted) throw new Fault("unavailable", "dial: given up")
      if (pin !== null && pin !== proven) throw new Fault("refused", "dial: not the broker of the pairing")
      const [camera, broker] = duplexPair()
      accept(broker)
      return { stream: camera, binding: null }
    },
  }
}

/** The same one, which tells of each dial. */
export function watchedDialler(dialler: Dialler, onDial: () => void): Dialler {
  return {
    dial(pin, signal) {
      onDial()
      return dialler.dial(pin, signal)
    },
  }
}
