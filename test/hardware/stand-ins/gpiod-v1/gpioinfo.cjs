// gpioinfo of libgpiod 1.6.3: describes whole chips.
const { ask, dieOf, parse, print, printVersion } = require("../gpiod/client.cjs")

const { options, args } = parse({ help: "h", version: "v" })
if (options.version) printVersion(1)
const [chip = "gpiochip0"] = args
ask({ op: "info", chip, byLabel: true }).then(({ error, text }) => {
  if (error) dieOf(`looking up chip ${chip}`, error)
  print(text)
  process.exit(0)
})
