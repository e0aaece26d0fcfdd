/** Units, said in types. They are plain numbers: the name is for the reader, not the compiler. */

export type Milliseconds = number
/** Milliseconds since 1970-01-01T00:00:00Z. */
export type UnixMilliseconds = number
export type Seconds = number
export type Bytes = number
export type BitsPerSecond = number
export type FramesPerSecond = number
/** The clock of MPEG timestamps: 90,000 ticks a second. A double holds three thousand years of it exactly. */
export type Ticks90k = number

export const KiB = 1024
export const MiB = 1024 * 1024

export const seconds = (n: number): Milliseconds => n * 1_000
export const minutes = (n: number): Milliseconds => n * 60_000
export const ticksOf = (time: Milliseconds): Ticks90k => time * 90
export const millisecondsOf = (time: Ticks90k): Milliseconds => time / 90
