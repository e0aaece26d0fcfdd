// What the gpiod stand-ins share: options as getopt_long reads them, errors in the tools' words, and the way to the
// kernel of the test (test/hardware/gpiod-kernel.ts), a Unix socket named by GPIOD_KERNEL. While the socket is open its lines are held;
// it closes with the process, however that ends, as a file descriptor does.

const net = require("node:net")
const { basename } = require("node:path")

const program = basename(process.argv[1], ".cjs")
const ERRORS = {
  EACCES: "Permission denied",
  EBUSY: "Device or resource busy",
  EINVAL: "Invalid argument",
  EIO: "Input/output error",
  ENOENT: "No such file or directory",
}

// A process that is stuck in the kernel hears no signal but KILL.
for (const signal of (process.env.GPIOD_DEAF_TO ?? "").split(",").filter(Boolean))
  process.on(signal, () => undefined)

function die(text) {
  process.stderr.write(`${program}: ${text}\n`)
  process.exit(1)
}

/** As perror: what was tried, and the system's word for why it failed. */
function dieOf(what, error) {
  die(`${what}: ${ERRORS[error]}`)
}

/** `known` is name -> short letter, with ":" if it takes a value. Stops at the first argument that is no option. */
function parse(known) {
  const longs = new Map(Object.entries(known))
  const shorts = new Map([...longs].map(([name, letter]) => [letter[0], name]))
  const found = {}
  const args = process.argv.slice(2)
  const unknown = (text) => {
    process.stderr.write(`${program}: ${text}\n`)
    die(`try ${program} --help`)
  }
  const take = (name, value, missing) => {
    if (!longs.get(name).endsWith(":")) found[name] = true
    else found[name] = value ?? args.shift() ?? unknown(missing)
  }
  while (args[0]?.startsWith("-") && args[0] !== "-") {
    const arg = args.shift()
    if (arg === "--") break
    if (arg.startsWith("--")) {
      const [, name, value] = /^--([^=]*)(?:=(.*))?$/s.exec(arg)
      if (!longs.has(name)) unknown(`unrecognized option '${arg}'`)
      take(name, value, `option '--${name}' requires an argument`)
      continue
    }
    for (let rest = arg.slice(1); rest; ) {
      const name = shorts.get(rest[0])
      if (!name) unknown(`invalid option -- '${rest[0]}'`)
      const letter = rest[0]
      rest = rest.slice(1)
      take(name, rest || undefined, `option requires an argument -- '${letter}'`)
      if (longs.get(name).endsWith(":")) break
    }
  }
  return { options: found, args }
}

/** One question to the kernel; `onEdge` makes it a request that goes on. */
function ask(question, onEdge) {
  return new Promise((resolve) => {
    const socket = net.connect(process.env.GPIOD_KERNEL)
    socket.setEncoding("utf8")
    socket.write(`${JSON.stringify({ ...question, tool: program, pid: process.pid })}\n`)
    let rest = ""
    let answered = false
    socket.on("data", (text) => {
      const lines = (rest + text).split("\n")
      rest = lines.pop()
      for (const line of lines) {
        const said = JSON.parse(line)
        if (answered) onEdge?.(said)
        else resolve({ ...said, socket })
        answered = true
      }
    })
    // The machine is gone.
    socket.on("error", () => process.exit(1))
    socket.on("close", () => process.exit(1))
  })
}

/** Prints a line at once, though standard output is a pipe. */
function print(line) {
  require("node:fs").writeSync(1, `${line}\n`)
}

function printVersion(major) {
  const [name, version] =
    major === 1 ? [`${program} (libgpiod)`, "v1.6.3"] : [`${program} (libgpiod)`, "v2.2.1"]
  print(`${name} ${version}`)
  print("There is NO WARRANTY, to the extent permitted by law.")
  process.exit(0)
}

function numberOf(text) {
  return /^\d+$/.test(text) ? Number(text) : null
}

/** Version 2: what it says of a chip that cannot be opened, and of lines that it has not. */
function dieOfChip(error, chip, args) {
  if (error === "ENOENT") die(`cannot find GPIO chip character device '${chip}'`)
  if (error === "EACCES") dieOf(`unable to open chip '/dev/${chip}'`, error)
  if (error === "EINVAL") die(`offset ${args.at(-1)} is out of range on chip '${chip}'`)
}

/** Version 2: without a chip, lines have to be named. */
function needChip(chip, lines) {
  if (chip !== undefined && lines.every((line) => numberOf(line) !== null)) return
  for (const line of lines) process.stderr.write(`${program}: cannot find line '${line}'\n`)
  process.exit(1)
}

const BIASES_V2 = { "pull-down": "pull-down", "pull-up": "pull-up", disabled: "disabled" }
function biasV2(bias) {
  return bias === undefined ? undefined : (BIASES_V2[bias] ?? die(`invalid bias: ${bias}`))
}

/** Milliseconds of "10", "10ms", "2s", "10us" or "1m". */
function periodV2(text) {
  const [, count, unit] = /^(\d+)(us|ms|s|m)?$/.exec(text) ?? die(`invalid period: ${text}`)
  return Number(count) * { us: 0.001, ms: 1, s: 1_000, m: 60_000 }[unit ?? "ms"]
}

module.exports = {
  ask,
  biasV2,
  die,
  dieOf,
  dieOfChip,
  needChip,
  numberOf,
  parse,
  periodV2,
  print,
  printVersion,
}
