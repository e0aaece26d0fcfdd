/**
 * What can go wrong, from a list short enough to remember. A caller decides by kind and `definite`, never by
 * reading the message.
 *
 * - `usage`        the person at the keyboard or a configuration asked for something that cannot be
 * - `unpaired`     the camera has no owner to seal for
 * - `malformed`    bytes that do not parse
 * - `tampered`     bytes that parse, but a signature, hash or tag does not hold
 * - `refused`      the other side understood and said no
 * - `unavailable`  a network, broker, lens or disk that does not answer now and may later
 * - `full`         no room
 * - `unsupported`  well formed, but not something obscura handles
 * - `broken`       an invariant of ours does not hold: ends that camera and fails the run
 */
export type FaultKind =
  | "usage"
  | "unpaired"
  | "malformed"
  | "tampered"
  | "refused"
  | "unavailable"
  | "full"
  | "unsupported"
  | "broken"

/**
 * The one error class. Foreign errors become one in the file that imports the library, and stay as `cause`.
 *
 * `definite` answers a single question: did the thing surely not happen? A definite fault is given up or parked;
 * an indefinite one is repeated under the same id, and the far end removes doubles.
 */
export class Fault extends Error {
  readonly kind: FaultKind
  readonly definite: boolean

  constructor(kind: FaultKind, message: string, { definite = true, cause }: FaultOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = "Fault"
    this.kind = kind
    this.definite = definite
  }
}

export interface FaultOptions {
  definite?: boolean
  cause?: unknown
}

export function isFault(error: unknown, kind?: FaultKind): error is Fault {
  return error instanceof Fault && (kind === undefined || error.kind === kind)
}

/** The message of anything thrown, for a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
