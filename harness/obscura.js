#!/usr/bin/env node
import "./typescript/register.js"

const { main } = await import("./cli.ts")
await main(process.argv)
