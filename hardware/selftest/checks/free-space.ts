import { type Bytes, MiB } from "../../../firmware/units.ts"
import { type Check, type Finding, judged } from "../check.ts"

/** For the identity, the journal and whatever else lives there. */
const BESIDE: Bytes = 64 * MiB

/** The spool that the settings promise fits on the medium. */
export const freeSpace: Check = {
  name: "free space",
  mandatory: true,
  async run({ world }): Promise<Finding> {
    const disk = world.disk()
    const held = (await disk.list("")).reduce((sum, { size }) => sum + size, 0)
    const freeBytes = await disk.free()
    const freeBytesMin = Math.max(0, world.config.spool.bytesMax - held) + BESIDE
    const is = `${megabytes(freeBytes)} free, ${megabytes(freeBytesMin)} needed for the spool`
    return judged(
      [freeBytes < freeBytesMin ? `${is}: a larger card, or a smaller camera.spool.bytesMax` : null],
      is,
      { freeBytes, heldBytes: held },
      { freeBytesMin },
    )
  },
}

function megabytes(bytes: Bytes): string {
  return `${Math.round(bytes / 1e6)} MB`
}
