import { isFault } from "../../../firmware/errors.ts"
import { openBucket } from "../../../harness/cloud/bucket.ts"
import { manifestOf, newKey, randomObject } from "./camera.ts"

/** Stores objects in the folder it is given until there is no room; prints what was kept and how it was refused. */
async function main(folder: string): Promise<void> {
  const bucket = await openBucket(folder)
  const key = newKey()
  const stored: string[] = []
  for (let sequence = 0; ; sequence++) {
    const object = randomObject(300_000)
    const { envelope, hash, body } = manifestOf(key, [object], { sequence })
    try {
      await bucket.store({
        device: key.id,
        objects: [{ entry: object.entry, parts: [object.bytes] }],
        manifest: { envelope, hash, body },
      })
      stored.push(object.entry.id)
    } catch (error) {
      if (!isFault(error)) throw error
      console.log(JSON.stringify({ stored, refused: { kind: error.kind, definite: error.definite } }))
      await bucket.close()
      return
    }
  }
}

await main(process.argv[2] ?? "")
