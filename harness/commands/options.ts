import { join, resolve } from "node:path"
import { InvalidArgumentError, Option } from "commander"
import { isFault, messageOf } from "../../firmware/errors.ts"

/** Where one household of this machine keeps its things, each in a folder of its own: cloud, owner, camera. */
export interface HomePaths {
  readonly cloud: string
  readonly owner: string
  readonly camera: string
  /** Of recognition. */
  readonly models: string
}

/** Where it is, if nobody says. */
export const HOME = "obscura-home"

export const homeOption = (): Option =>
  new Option("--home <dir>", "folder of this household: cloud, owner and camera, each apart").default(
    HOME,
    `./${HOME}`,
  )

export function homePaths(home: string): HomePaths {
  const root = resolve(home)
  return {
    ...{ cloud: join(root, "cloud"), owner: join(root, "owner") },
    ...{ camera: join(root, "camera"), models: join(root, "models") },
  }
}

export const indexOption = (): Option =>
  new Option(
    "--index <place>",
    "a database of accounts and clips: an SQLite file, or postgres://user@host:5432/database (password: PGPASSWORD)",
  )

/** For commander: a whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`a whole number from ${least} to ${most} is wanted.`)
    return value
  }
}

/** For commander: turns a parser that throws Faults into one whose refusal names the option. */
export function parsedBy<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      if (isFault(error)) throw new InvalidArgumentError(messageOf(error))
      throw error
    }
  }
}

export const loopbackUrl = (port: number): string => `mqtt://127.0.0.1:${port}`
export const PORT = 1883
