#!/usr/bin/env node
// Node runs no TypeScript before 22: tsx does, for this process and, by `--import`, for its workers.
import { register } from "tsx/esm/api"

register()
const { main } = await import("./cli.ts")
await main(process.argv)
