/** As far as it is used here: version 0.2.14 has no types. */
declare module "raspicam" {
  import type { ChildProcess } from "node:child_process"
  import type { EventEmitter } from "node:events"

  export default class RaspiCam extends EventEmitter {
    constructor(options: Readonly<Record<string, string | number | boolean | (() => void)>>)
    child_process: ChildProcess | null
    watcher: { close(): void } | null
    /** false: this process runs a camera of the package already. */
    start(): boolean
    watchDirectory(): void
  }
}
