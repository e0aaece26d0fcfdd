import { once } from "node:events"
import { createServer, type Server, type Socket } from "node:net"
import { delimiter, dirname, join } from "node:path"
import { root } from "../support.ts"
import { type LineKnown, lineText, writeAnswers } from "./gpiod-answers.ts"

/**
 * The kernel behind the gpiod stand-ins: one GPIO chip, its lines, and who holds them. The tools are processes that
 * reach it by a Unix socket; a line is held as long as the socket of its holder is open, as with the real one.
 *
 * A released output stays as it was driven, as on Raspberry Pi's own kernel: the harder case for a light.
 */

export type Errno = "EACCES" | "EBUSY" | "EINVAL" | "EIO" | "ENOENT"

interface Holder extends Omit<LineKnown, "name"> {
  readonly socket: Socket | null
  readonly pid: number
  readonly tool: string
  readonly consumer: string
}

interface Line {
  /** By a sensor, a finger or nobody. */
  outside: 0 | 1
  /** By the chip itself, while it is an output. */
  driven: 0 | 1
  direction: "input" | "output"
  holder: Holder | null
}

interface Question {
  readonly op: "chips" | "info" | "request" | "set"
  readonly tool: string
  readonly pid: number
  readonly chip: string
  readonly byLabel?: boolean
  readonly offsets: readonly number[]
  readonly consumer: string
  readonly direction: "input" | "output"
  readonly bias?: string
  readonly edges?: string
  readonly values?: Readonly<Record<string, 0 | 1>>
}

const LINES = 58

/** A kernel with one chip. Its socket lies in `folder`; who made the folder removes it. */
export async function startKernel(options: {
  readonly folder: string
  readonly version?: 1 | 2
  readonly label?: string
}): Promise<TestKernel> {
  const { folder, version = 2, label = "pinctrl-bcm2711" } = options
  const socket = join(folder, "gpio-kernel")
  const server = createServer()
  const kernel = new TestKernel(version, label, socket, server)
  server.listen(socket)
  await once(server, "listening")
  return kernel
}

export class TestKernel {
  /** What leads the stand-ins here. */
  readonly env: { readonly GPIOD_KERNEL: string }
  /** Besides, the stand-ins of one version first on the PATH. */
  readonly toolsEnv: NodeJS.ProcessEnv
  /** What outputs have shown, pin by pin, with the pin's first level. */
  readonly shown = new Map<number, number[]>()
  readonly #label: string
  readonly #server: Server
  readonly #lines: Line[] = Array.from({ length: LINES }, () => ({
    outside: 0,
    driven: 0,
    direction: "input",
    holder: null,
  }))
  readonly #sockets = new Set<Socket>()
  readonly #refused = new Map<number, Errno>()
  readonly #slow = new Map<number, Promise<void>>()
  readonly #asked = new Set<number>()
  readonly #changed = new Set<() => void>()
  #denied = false
  #lineCount = LINES
  #gone = false
  #closed = false

  /** Made by `startKernel`. */
  constructor(version: 1 | 2, label: string, socket: string, server: Server) {
    this.#label = label
    this.#server = server
    this.env = { GPIOD_KERNEL: socket }
    const tools = join(root, `test/hardware/stand-ins/gpiod-v${version}`)
    const path = [tools, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter)
    this.toolsEnv = { ...this.env, PATH: path }
    server.on("connection", (socket) => this.#serve(socket))
    this.#writeDown()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  // The world's side

  /** No permission for the chip's device. */
  set denied(is: boolean) {
    this.#denied = is
    this.#writeDown()
  }

  /** The chip is gone. */
  set gone(is: boolean) {
    this.#gone = is
    this.#writeDown()
  }

  set lineCount(count: number) {
    this.#lineCount = count
    this.#writeDown()
  }

  /** Puts a level on a line's wire, as a sensor or a finger would. */
  set(pin: number, level: 0 | 1): void {
    const line = this.#line(pin)
    if (line.outside === level) return
    line.outside = level
    const { holder } = line
    if (!holder?.edges || holder.direction !== "input") return
    const edge = level ? "rising" : "falling"
    if (holder.edges === "both" || holder.edges === edge)
      say(holder.socket, { edge, offset: pin, at: performance.now() })
  }

  /** What is on the wire. */
  level(pin: number): number {
    const line = this.#line(pin)
    return line.direction === "output" ? line.driven : line.outside
  }

  holder(pin: number): { readonly tool: string; readonly pid: number; readonly consumer: string } | null {
    return this.#line(pin).holder
  }

  bias(pin: number): string | null {
    return this.#line(pin).holder?.bias ?? null
  }

  /** Processes that hold lines. */
  get holders(): readonly number[] {
    return [...new Set(this.#lines.flatMap(({ holder }) => (holder?.socket ? [holder.pid] : [])))]
  }

  /** From now on a request for this line fails. null: it is granted again. */
  refuse(pin: number, error: Errno | null): void {
    if (error) this.#refused.set(pin, error)
    else this.#refused.delete(pin)
  }

  /** A driver of the kernel, or another program, has the line. */
  occupy(pin: number, consumer: string): void {
    const outsider = { socket: null, pid: 0, tool: consumer, bias: null, edges: null }
    this.#line(pin).holder = { ...outsider, consumer, direction: "output" }
    this.#writeDown()
  }

  /** From now on a request for this line hangs, until the returned function is called. */
  hang(pin: number): () => void {
    let goOn: () => void = () => undefined
    this.#slow.set(pin, new Promise((resolve) => (goOn = resolve)))
    return () => {
      this.#slow.delete(pin)
      goOn()
    }
  }

  /** A request for this line hangs. */
  isAsked(pin: number): boolean {
    return this.#asked.has(pin)
  }

  /** Resolves once `holds` is true; it is asked whenever a line's holder, level or request changes. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds())
      await new Promise<void>((resolve) => {
        this.#changed.add(resolve)
      })
  }

  // The tools' side

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setEncoding("utf8")
    let rest = ""
    socket.on("data", (text) => {
      const lines = (rest + text).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) void this.#answer(JSON.parse(line), socket)
    })
    socket.on("error", () => socket.destroy()) // killed in the middle of a word
    socket.on("close", () => {
      this.#sockets.delete(socket)
      for (const line of this.#lines) if (line.holder?.socket === socket) line.holder = null
      this.#tell()
    })
  }

  async #answer(question: Question, socket: Socket): Promise<void> {
    if (question.op === "set") return this.#drive(question.values ?? {})
    if (question.op === "request") await Promise.all(question.offsets.map((pin) => this.#stay(pin)))
    if (this.#denied) return say(socket, { error: "EACCES" })
    if (question.op === "chips") {
      const chip = { name: "gpiochip0", label: this.#label, lines: this.#lineCount }
      return say(socket, { chips: this.#gone ? [] : [chip] })
    }
    const names = ["gpiochip0", "0", "/dev/gpiochip0", ...(question.byLabel ? [this.#label] : [])]
    if (this.#gone || !names.includes(question.chip)) return say(socket, { error: "ENOENT" })
    const lines = this.#describe()
    if (question.op === "info") return say(socket, { name: "gpiochip0", lines, text: lineText(lines) })
    const error = this.#request(question, socket)
    say(socket, error ? { error } : { levels: question.offsets.map((offset) => this.level(offset)) })
    this.#tell()
  }

  async #stay(pin: number): Promise<void> {
    if (!this.#slow.has(pin)) return
    this.#asked.add(pin)
    this.#tell()
    await this.#slow.get(pin)
    this.#asked.delete(pin)
  }

  #describe(): LineKnown[] {
    return this.#lines.map(({ direction, holder }, offset) => ({
      name: `GPIO${offset}`,
      direction: holder?.direction ?? direction,
      consumer: holder?.consumer ?? null,
      bias: holder?.bias ?? null,
      edges: holder?.edges ?? null,
    }))
  }

  #request(question: Question, socket: Socket): Errno | null {
    const { offsets, pid, tool, consumer, direction, bias, edges, values } = question
    if (offsets.some((offset) => offset >= LINES)) return "EINVAL"
    for (const offset of offsets) {
      const refused = this.#refused.get(offset) ?? (this.#line(offset).holder ? "EBUSY" : null)
      if (refused) return refused
    }
    if (socket.destroyed) return "EIO" // killed while its request hung
    const own = { bias: bias && bias !== "as-is" ? bias : null, edges: edges ?? null }
    for (const offset of offsets) {
      const line = this.#line(offset)
      line.direction = direction
      // It reads, and lets go.
      if (tool === "gpioget") continue
      line.holder = { socket, pid, tool, consumer, direction, ...own }
    }
    if (values) this.#drive(values)
    return null
  }

  #drive(values: Readonly<Record<string, 0 | 1>>): void {
    for (const [pin, level] of Object.entries(values)) {
      this.#line(Number(pin)).driven = level
      const shown = this.shown.get(Number(pin)) ?? []
      if (shown.at(-1) !== level) shown.push(level)
      this.shown.set(Number(pin), shown)
    }
    this.#tell()
  }

  #line(pin: number): Line {
    const line = this.#lines[pin]
    if (!line) throw new Error(`no line ${pin}`)
    return line
  }

  #writeDown(): void {
    if (this.#closed) return
    const known = { label: this.#label, lineCount: this.#lineCount, holders: this.holders }
    const answers = this.#denied || this.#gone ? null : { ...known, lines: this.#describe() }
    writeAnswers(this.env.GPIOD_KERNEL, answers)
  }

  #tell(): void {
    this.#writeDown()
    const waiting = [...this.#changed]
    this.#changed.clear()
    for (const wake of waiting) wake()
  }
}

function say(socket: Socket | null, answer: object): void {
  if (socket && !socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`)
}
