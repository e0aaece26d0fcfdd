import { installShim } from "../lens/shim.ts"

/** `obscura-camera shim`: what was done, in a sentence. @throws Fault "usage" or "unavailable", definite. */
export async function shim(at: string): Promise<string> {
  await installShim(at)
  return `${at} hands over to rpicam-vid now: the raspicam package works on this system`
}
