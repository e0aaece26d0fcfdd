import { publicKeyFromHex } from "../../../firmware/control/keys.ts"
import { openCloudKeys } from "../../../harness/cloud/keys.ts"
import { startSubscriber } from "../../../harness/cloud/subscriber.ts"

/** A subscriber in a process of its own, to be stopped in its tracks. */
const [url = "", directory = "", keyFile = "", camera = ""] = process.argv.slice(2)
const key = publicKeyFromHex(camera)
await startSubscriber({
  url,
  directory,
  keys: await openCloudKeys(keyFile),
  log: { write: () => undefined },
  keyOf: (device) => (device === key.id ? key : null),
})
process.send?.("ready")
