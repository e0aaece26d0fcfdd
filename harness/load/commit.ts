import { execFile } from "node:child_process"
import { promisify } from "node:util"

/** The commit of this source, with "-dirty" where it was changed since; "unknown" outside a git checkout. */
export async function commitOf(directory = import.meta.dirname): Promise<string> {
  try {
    const question = ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    const { stdout } = await promisify(execFile)("git", question, { cwd: directory })
    return stdout.trim() || "unknown"
  } catch {
    // No git, or no repository: both mean that nobody can tell.
    return "unknown"
  }
}
