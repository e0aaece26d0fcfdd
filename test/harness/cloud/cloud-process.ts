import { startCloud } from "../../../harness/cloud/broker.ts"
import { openCloudKeys } from "../../../harness/cloud/keys.ts"

/** A cloud in a process of its own, to be killed: says its port and receipt key. */
const [directory = "", keyFile = ""] = process.argv.slice(2)
const keys = await openCloudKeys(keyFile)
const log = { write: () => undefined }
const cloud = await startCloud({ directory, host: "127.0.0.1", port: 0, name: "test", keys, log })
process.send?.({ port: cloud.port, receiptKey: keys.receipt.hex })
