import type { Bench } from "./bench.ts"
import { withProcess } from "./process.ts"
import type { Finding } from "./row.ts"
import type { WorkName } from "./worker.ts"

/** Cameras that start, whose tokens the cloud verifies, against bare clients at a broker that asks for nothing. */
export async function connects({ quick, say }: Bench): Promise<readonly Finding[]> {
  const count = quick ? 40 : 1_000
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    ours.push(await connectsPerSecond("cloud", "idle", count))
    theirs.push(await connectsPerSecond("bare-broker", "clients", count))
    say(`connects ${ours[round]?.toFixed(0)}/s, bare ${theirs[round]?.toFixed(0)}/s`)
  }
  const against = { what: "bare mqtt.js clients, bare Aedes", values: theirs }
  return [{ name: "connects", unit: "1/s", reach: 0.6, better: "higher", ours, theirs: against }]
}

async function connectsPerSecond(broker: WorkName, clients: WorkName, count: number): Promise<number> {
  return withProcess(broker, {}, async (server) => {
    const at = await server.ask<object>("identity")
    return withProcess(clients, at, async (fleet) => {
      await fleet.ask("prepare", count + 50)
      await fleet.ask("growTo", 50) // code is compiled, the first sockets are there
      const begun = performance.now()
      await fleet.ask("growTo", count + 50)
      return count / ((performance.now() - begun) / 1_000)
    })
  })
}
