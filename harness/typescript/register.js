// Node runs no TypeScript before 22: esbuild strips the types as files are loaded, in this process and, by `--import`,
// in its workers. Not tsx, which gives every closure a name: at some 30 closures a camera that is 6 to 10 KiB each.
import { register } from "node:module"

process.setSourceMapsEnabled(true)
register("./hooks.js", import.meta.url)
