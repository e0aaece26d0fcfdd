// gpiodetect of libgpiod 1.6.3.
const { ask, die, dieOf, parse, print, printVersion } = require("../gpiod/client.cjs")

const { options, args } = parse({ help: "h", version: "v" })
if (options.version) printVersion(1)
if (args.length > 0) die(`unrecognized argument: ${args[0]}`)
ask({ op: "chips" }).then(({ error, chips }) => {
  if (error) dieOf("unable to access GPIO chips", error)
  for (const { name, label, lines } of chips) print(`${name} [${label}] (${lines} lines)`)
  process.exit(0)
})
