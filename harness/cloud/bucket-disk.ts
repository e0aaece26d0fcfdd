import { Fault, isFault, messageOf } from "../../firmware/errors.ts"

/** Which errors of the file system mean "no room": disk, quota, and a limit on file sizes. */
const NO_ROOM = new Set(["ENOSPC", "EDQUOT", "EFBIG"])
const NOT_ALLOWED = new Set(["EACCES", "EPERM", "EROFS"])

/**
 * What the file system's error means for the bucket in `directory`.
 * "full": definite, nothing is kept. "usage": the folder cannot be written. Else "unavailable", indefinite.
 */
export function diskFault(cause: unknown, directory: string): Fault {
  if (isFault(cause)) return cause
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  if (NO_ROOM.has(code))
    return new Fault("full", `bucket ${directory}: no room; free some space or choose another folder`, {
      cause,
    })
  if (NOT_ALLOWED.has(code))
    return new Fault("usage", `bucket ${directory}: not writable; choose another folder or its owner`, {
      cause,
    })
  if (code === "ENOENT" || code === "ENOTDIR")
    return new Fault("usage", `bucket ${directory}: no such folder; check the path`, { cause })
  return new Fault("unavailable", `bucket ${directory}: ${messageOf(cause)}`, { definite: false, cause })
}
