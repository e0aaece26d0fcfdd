import { url } from "node:inspector"
import { Fault } from "../../firmware/errors.ts"

/** A debugger reads memory, and pictures are in it. At SIGUSR1 node would open a port for one. */
export function ignoreDebuggerSignal(): void {
  process.on("SIGUSR1", () => undefined)
}

/** @throws Fault "usage", definite: one is there already. */
export function refuseDebugger(): void {
  if (url() === undefined) return
  throw new Fault("usage", "a camera does not run under a debugger: pictures are plain in its memory")
}
