import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { z } from "zod"
import { fleetCommand } from "../../../harness/commands/fleet.ts"
import { shardFrom } from "../../../harness/load/shard.ts"
import { root } from "../../support.ts"

/** What the manifest promises, of the Job API (batch/v1). */
const jobShape = z.object({
  apiVersion: z.literal("batch/v1"),
  kind: z.literal("Job"),
  metadata: z.object({ name: z.string().regex(/^[a-z0-9-]{1,63}$/) }),
  spec: z.object({
    completionMode: z.literal("Indexed"),
    completions: z.int().min(1),
    parallelism: z.int().min(1),
    backoffLimit: z.literal(0),
    template: z.object({
      spec: z.object({
        restartPolicy: z.literal("Never"),
        automountServiceAccountToken: z.literal(false),
        securityContext: z.object({ runAsNonRoot: z.literal(true) }),
        containers: z.tuple([
          z.object({
            image: z.string(),
            command: z.array(z.string()),
            args: z.array(z.string()),
            env: z.array(z.object({ name: z.string() })),
            resources: z.object({
              requests: z.object({ cpu: z.string(), memory: z.string() }),
              limits: z.object({ memory: z.string() }),
            }),
            volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
          }),
        ]),
        volumes: z.array(z.object({ name: z.string() })),
      }),
    }),
  }),
})

const text = readFileSync(join(root, "harness", "scale", "indexed-job.json"), "utf8")
const { spec } = jobShape.parse(JSON.parse(text))
const [container] = spec.template.spec.containers

test("the Indexed Job runs every shard at once, each once", () => {
  expect(spec.parallelism).toBe(spec.completions)
  expect(wordAfter("--shards")).toBe(String(spec.completions))
  const indexes = Array.from({ length: spec.completions }, (_, index) =>
    shardFrom(undefined, spec.completions, { JOB_COMPLETION_INDEX: String(index) }),
  )
  expect(indexes.map((shard) => shard?.index)).toEqual([0, 1, 2, 3])
})

test("its words are words that obscura fleet knows, with one seed for all", () => {
  expect(container.command).toEqual(["node", "harness/obscura.js", "fleet"])
  const known = fleetCommand().options.map(({ long }) => long)
  for (const word of container.args.filter((each) => each.startsWith("--"))) expect(known).toContain(word)
  expect(wordAfter("--seed")).toMatch(/^\d+$/)
})

test("every variable that its words name is set, and every mount has its volume", () => {
  const set = container.env.map(({ name }) => name)
  const named = [...container.args.join(" ").matchAll(/\$\((\w+)\)/g)].map(([, name]) => name)
  expect(set.sort()).toEqual(named.sort())
  const volumes = spec.template.spec.volumes.map(({ name }) => name)
  expect(container.volumeMounts.map(({ name }) => name).sort()).toEqual(volumes.sort())
})

test("every shard leaves its results on the volume, in a folder of its own", () => {
  const results = container.volumeMounts.find(({ name }) => name === "results")?.mountPath
  expect(wordAfter("--out")).toBe(`${results}/$(JOB_COMPLETION_INDEX)`)
})

test("what somebody has to fill in stands out, and the README says how", () => {
  const readme = readFileSync(join(root, "harness", "scale", "README.md"), "utf8")
  for (const placeholder of ["REGISTRY/obscura:TAG", "SECONDS_SINCE_1970"]) {
    expect(text.split(placeholder)).toHaveLength(2)
    expect(readme).toContain(placeholder)
  }
})

function wordAfter(option: string): string | undefined {
  return container.args[container.args.indexOf(option) + 1]
}
