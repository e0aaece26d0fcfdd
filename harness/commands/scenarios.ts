import { writeFile } from "node:fs/promises"
import { Command } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { METRIC_NAMES, METRICS } from "../load/metrics.ts"
import { loadScenario, scenarioNames } from "../scenario/load-scenario.ts"
import { template } from "../scenario/template.ts"

interface ScenariosOptions {
  readonly metrics?: boolean
}

export function scenariosCommand(): Command {
  const command = new Command("scenarios")
    .description("list the stories that obscura fleet can run, or begin one of your own")
    .option("--metrics", "list what thresholds can be set on")
    .addHelpText("after", "\nRun one: obscura fleet --scenario NAME, or --scenario ./file.ts")
    .action(list)
  command
    .command("new")
    .description("write a commented scenario to begin with")
    .argument("<file>", "a new file, ending in .ts")
    .action(begin)
  return command
}

async function list({ metrics }: ScenariosOptions): Promise<void> {
  const rows = metrics
    ? METRIC_NAMES.map(
        (name) => [name, `${METRICS[name].kind}${unitOf(name)}: ${METRICS[name].what}`] as const,
      )
    : await Promise.all(
        (await scenarioNames()).map(
          async (name) => [name, (await loadScenario(name)).scenario.description] as const,
        ),
      )
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, what] of rows) console.log(`${name.padEnd(width)}  ${what}`)
}

function unitOf(name: (typeof METRIC_NAMES)[number]): string {
  const { unit } = METRICS[name]
  return unit === "" || unit === "1" ? "" : `, ${unit}`
}

async function begin(file: string): Promise<void> {
  if (!file.endsWith(".ts")) throw new Fault("usage", `${file}: a scenario is a TypeScript file: give it .ts`)
  try {
    await writeFile(file, template(), { flag: "wx" })
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
    const why = code === "EEXIST" ? "is there already: choose another name" : `cannot be written (${code})`
    throw new Fault("usage", `${file} ${why}`, { cause })
  }
  console.log(
    `${file} is written. Run it: obscura fleet --scenario ${/^[./]/.test(file) ? file : `./${file}`}`,
  )
}
