import { Fault } from "../../../firmware/errors.ts"
import { serve } from "../../../harness/load/child.ts"

/** A child that answers, fails or dies, as it is told. */
serve<{ readonly kind: "echo" | "fail" | "die" }, { readonly kind: "echoed" }>(async ({ kind }, send) => {
  if (kind === "echo") send({ kind: "echoed" })
  if (kind === "fail") throw new Fault("broken", "a mistake of its own")
  if (kind === "die") process.kill(process.pid, "SIGKILL")
})
