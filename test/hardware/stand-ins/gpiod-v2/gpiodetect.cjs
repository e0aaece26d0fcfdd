// gpiodetect of libgpiod 2.2.1.
const { ask, dieOf, parse, print, printVersion } = require("../gpiod/client.cjs")

const { options } = parse({ help: "h", version: "v" })
if (options.version) printVersion(2)
ask({ op: "chips" }).then(({ error, chips }) => {
  if (error) dieOf("unable to open chip '/dev/gpiochip0'", error)
  for (const { name, label, lines } of chips) print(`${name} [${label}] (${lines} lines)`)
  process.exit(0)
})
