import { main } from "./program/program.ts"

// Exits although something may still hang, a lens that does not die for one: whoever restarts the camera waits for this.
// Standard output and standard error are written synchronously on Linux, so nothing of them is lost.
void main(process.argv, process.env).then((code) => process.exit(code))
