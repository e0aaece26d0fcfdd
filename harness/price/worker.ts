import { serveWork } from "../bench/serve-work.ts"

await serveWork({
  cloud: () => import("../bench/cloud-work.ts"),
  fleet: () => import("./sealed-fleet-work.ts"),
  "plain-cloud": () => import("./plain-cloud-work.ts"),
  "plain-fleet": () => import("./plain-fleet-work.ts"),
  alone: () => import("./alone-work.ts"),
})
