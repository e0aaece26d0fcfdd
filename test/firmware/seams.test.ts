import { join } from "node:path"
import { build } from "esbuild"
import { describe, expect, test } from "vitest"
import { root } from "../support.ts"

/** What the bundler takes in when it packs `entry` for a camera. */
async function inputsOf(entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(root, entry)],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    metafile: true,
    logLevel: "silent",
    external: ["@serialport/bindings"],
  })
  return Object.keys(metafile.inputs)
}

describe("what is packed for a camera", () => {
  test("comes from firmware and named packages alone: there is nothing of simulator or harness to switch on", async () => {
    const ours = (await inputsOf("firmware/camera.ts")).filter((path) => !path.startsWith("node_modules/"))
    expect(ours).toContain("firmware/delivery/sealer.ts")
    expect(ours.filter((path) => !path.startsWith("firmware/"))).toEqual([])
  })

  test("would show it otherwise: the same list of a simulated board names the simulator", async () => {
    expect((await inputsOf("simulator/board.ts")).some((path) => path.startsWith("simulator/"))).toBe(true)
  })
})
