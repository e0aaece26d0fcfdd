import { randomBytes } from "node:crypto"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { type SigningKey, signingKeyOf } from "../../../firmware/control/keys.ts"
import { objectId } from "../../../firmware/control/protocol.ts"
import { Fault } from "../../../firmware/errors.ts"
import { type Milliseconds, minutes } from "../../../firmware/units.ts"
import { FolderFiles } from "../../owner/folder-files.ts"
import { ServiceFolder } from "../service-folder.ts"

const seed = z.string().regex(/^[0-9a-f]{64}$/)
const keyShape = z.strictObject({ seed })
const askShape = z.strictObject({ request: objectId, code: z.string().max(60), viewer: seed, at: z.number() })
const sessionShape = z.strictObject({ token: seed })

const KEPT_FOR: Milliseconds = minutes(25 * 60)

/** One asked look, as the one who asked keeps it. */
export interface KeptAsk {
  readonly request: string
  readonly code: string
  readonly viewer: SigningKey
}

/**
 * What one person of the staff has on their own machine, mode 0600: `key.json`, the first factor; `asks/<request>.json`,
 * the key made for each look that they asked for; `session.json`, what a labeller's login gave. No server has any of it.
 */
export class DeskDrawer {
  readonly #directory: string
  readonly #files: FolderFiles

  constructor(directory: string) {
    this.#directory = directory
    this.#files = new FolderFiles(directory)
  }

  /** Made at the first call. @throws Fault "malformed", definite: damaged. */
  async key(): Promise<SigningKey> {
    const bytes = (await this.#files.read("key.json")) ?? (await this.#newKey())
    return signingKeyOf(Buffer.from(fromJson(bytes, keyShape, "key.json", 1_000).seed, "hex"))
  }

  /** Two commands that come first at the same instant have one key. */
  #newKey(): Promise<Uint8Array> {
    const folder = new ServiceFolder(this.#directory)
    return folder.inTurn(async () => {
      const there = await folder.read("key.json")
      if (there) return there
      const bytes = toJson({ seed: randomBytes(32).toString("hex") })
      await folder.put("key.json", bytes)
      return bytes
    })
  }

  /** A key for one look; `keep` when it was asked for. */
  newViewer(): { readonly viewer: SigningKey; keep(request: string, code: string): Promise<void> } {
    const secret = randomBytes(32)
    return {
      viewer: signingKeyOf(secret),
      keep: async (request, code) => {
        const ask = { request, code, viewer: secret.toString("hex"), at: Date.now() }
        await this.#files.replace(join("asks", `${request}.json`), toJson(ask))
        await this.#forgetOld()
      },
    }
  }

  /** The one asked look whose id begins so. @throws Fault "usage", definite: none does, or several. */
  async ask(beginning: string): Promise<KeptAsk> {
    const names = (await this.#files.names("asks")).filter((name) => name.endsWith(".json"))
    const found = names.filter((name) => name.startsWith(beginning))
    const [name] = found
    if (name === undefined || found.length > 1)
      throw new Fault(
        "usage",
        `${found.length || "no"} requests of yours begin with ${JSON.stringify(beginning.slice(0, 40))}`,
      )
    const { request, code, viewer } = await this.#asked(name)
    return { request, code, viewer: signingKeyOf(Buffer.from(viewer, "hex")) }
  }

  /** Its key is good for nothing any more. */
  async forget(request: string): Promise<void> {
    await rm(join(this.#directory, "asks", `${request}.json`), { force: true })
  }

  /** No code is listened to for longer than a day, and no grant lasts longer. */
  async #forgetOld(): Promise<void> {
    for (const name of await this.#files.names("asks")) {
      if (!name.endsWith(".json")) continue
      const { request, at } = await this.#asked(name)
      if (Date.now() - at > KEPT_FOR) await this.forget(request)
    }
  }

  async #asked(name: string): Promise<z.infer<typeof askShape>> {
    const bytes = (await this.#files.read(join("asks", name))) ?? new Uint8Array()
    return fromJson(bytes, askShape, name, 1_000)
  }

  async keepSession(token: string): Promise<void> {
    await this.#files.replace("session.json", toJson({ token }))
  }

  /** @throws Fault "usage", definite: nobody has logged in here. */
  async session(): Promise<string> {
    const bytes = await this.#files.read("session.json")
    if (bytes === null) throw new Fault("usage", 'log in first: "obscura labeller login"')
    return fromJson(bytes, sessionShape, "session.json", 1_000).token
  }
}
