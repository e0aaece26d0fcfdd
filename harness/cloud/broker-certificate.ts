import { readFile } from "node:fs/promises"
import { z } from "zod"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { selfSigned } from "./certificate.ts"
import { createOnce } from "./keys.ts"

const shape = z.strictObject({ cert: z.string(), key: z.string() })

/**
 * The broker's TLS key and certificate (PEM) in `file`, 0600; made at the first call, for `name`. Cameras pin the key at
 * pairing and ask neither who vouches for it nor for which name and how long, so it stays what it is: another key would be
 * another broker to them.
 * @throws Fault "usage", definite, naming the file.
 */
export async function openBrokerCertificate(
  file: string,
  name: string,
): Promise<{ readonly cert: string; readonly key: string }> {
  const made = selfSigned({ names: [name] })
  await createOnce(file, JSON.stringify({ cert: made.certificate, key: made.key }))
  try {
    return shape.parse(JSON.parse(await readFile(file, "utf8")))
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? "not a broker's key" : messageOf(cause)
    throw new Fault("usage", `${file}: ${reason}; put back your copy, or remove it and pair anew`, { cause })
  }
}
