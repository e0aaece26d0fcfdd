import { serveWork } from "./serve-work.ts"

/** Each loads only what it measures. */
const WORKS = {
  seal: () => import("./seal-work.ts"),
  mux: () => import("./mux-work.ts"),
  cloud: () => import("./cloud-work.ts"),
  fleet: () => import("./fleet-work.ts"),
  log: () => import("./log-work.ts"),
  idle: () => import("./idle-work.ts"),
  clients: () => import("./clients-work.ts"),
  // The same in a process that is weighed.
  "weighed-idle": () => import("./idle-work.ts"),
  "weighed-clients": () => import("./clients-work.ts"),
  "bare-broker": () => import("./bare-broker-work.ts"),
  "loopback-receiver": () => import("./loopback-receiver-work.ts"),
  "loopback-sender": () => import("./loopback-sender-work.ts"),
}
export type WorkName = keyof typeof WORKS

await serveWork(WORKS)
