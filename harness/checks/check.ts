/**
 * A check tries what a rule forbids, at the seam where a wire or a user is, and counts. On the sound system it finds no
 * violation; with a mistake in the source (`harness/unsafe/`) it must find one, or it is worth nothing.
 */
export interface Tally {
  /** How often the rule was put to the test; none is a failure of the check. */
  readonly tries: number
  readonly violations: number
  /** What was seen, a line each, a few of them; never a key, a token or anything personal. */
  readonly evidence: readonly string[]
  /** What of it got out; absent: this check counts violations alone. */
  readonly leaked?: Leaked
}

/** What somebody had who must not have it. */
export interface Leaked {
  /** Ids of clips of which somebody had a piece in plain, or opened one. */
  readonly clips: readonly string[]
  /** Pictures of live views that reached somebody. */
  readonly frames: number
}

/** Stops early when `signal` says so. Throws when it could not look, never for a violation. */
export type Run = (signal: AbortSignal) => Promise<Tally>

/** The checks of one rule of `formats`, or of another list. They share a process; each process loads one theme. */
export interface Theme<Id extends string = string> {
  readonly rule: string
  /** By id: the promise in words. */
  readonly checks: Readonly<Record<Id, string>>
  /** `close`: takes away what checks that share a world have left, after the last of them. */
  load(): Promise<{
    readonly checks: Readonly<Record<NoInfer<Id>, Run>>
    readonly close?: () => Promise<void>
  }>
}

/** So that the compiler sees that every promise has its check. */
export const theme = <Id extends string>(one: Theme<Id>): Theme => one

export interface Check {
  readonly id: string
  readonly rule: string
  readonly says: string
}

const EVIDENCE_MAX = 5

/** Counts as a check goes along. */
export class Tries implements Tally {
  tries = 0
  violations = 0
  readonly evidence: string[] = []
  readonly #clips = new Set<string>()
  #frames = 0

  get leaked(): Leaked {
    return { clips: [...this.#clips], frames: this.#frames }
  }

  /** Beside a violation: what of it got out. A clip counts once. */
  leaks({ clips = [], frames = 0 }: Partial<Leaked>): void {
    for (const clip of clips) this.#clips.add(clip)
    this.#frames += frames
  }

  /** One try; `what` says what was seen if it did not hold. */
  holds(held: boolean, what: string): void {
    this.tries++
    if (held) return
    this.violations++
    if (this.evidence.length < EVIDENCE_MAX) this.evidence.push(what)
  }

  /** One try: `seen` must be `wanted`, as JSON tells them apart. */
  is(seen: unknown, wanted: unknown, what: string): void {
    this.holds(JSON.stringify(seen) === JSON.stringify(wanted), `${what}: ${JSON.stringify(seen)}`)
  }

  /** One try: `act` must be refused by a fault; what it gives instead, or another error, is a violation. */
  async refused(act: () => unknown, what: string): Promise<void> {
    try {
      await act()
      this.holds(false, `${what}: taken`)
    } catch (error) {
      this.holds(error instanceof Error && error.name === "Fault", `${what}: ${nameOf(error)}, no refusal`)
    }
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
