import type {} from "johnny-five"

/** What @types/johnny-five leaves out of what we use. */
declare module "johnny-five" {
  interface BoardOption {
    /** true: a SIGINT listener for each board, which ends the process before anything is cleaned up. */
    sigint?: boolean
  }
  /** Whatever has none is given a random one, digit by digit. */
  interface SwitchOption {
    id?: string
  }
  interface ButtonOption {
    id?: string
  }
  interface LedOption {
    id?: string
  }
  interface Board {
    /** The components made on it. */
    readonly register: readonly object[]
  }
  interface Switch {
    removeListener(event: "open" | "close", listener: () => void): this
  }
  interface Button {
    removeListener(event: "press", listener: () => void): this
  }
  namespace Board {
    /** Every board ever made in this process: nothing takes one out again. */
    const cache: readonly Board[]
  }
}
