import type { Milliseconds } from "../../firmware/units.ts"
import type { Member } from "../../simulator/fleet.ts"
import type { CameraResult } from "./messages.ts"

/** What a camera of a fleet says of itself when all is over. */
export function resultOf(
  { camera, tally, fault, board, isFinished }: Member,
  receiptP95Ms: Milliseconds | null = null,
): CameraResult {
  const { device, connects, connected, complaints, received, dropped } = tally
  const { visits, missedVisits, disconnects, refusedUploads } = tally
  return {
    ...{ index: camera.camera, device, connects, connected, settled: isFinished, fault },
    ...{ complaints: complaints.told, moreComplaints: complaints.more },
    ...{ clips: [...tally.clips.values()], received, dropped },
    ...{ visits, missedVisits, disconnects, refusedUploads },
    missedGroups: [...board.lens.gaps.missed],
    tornGroups: [...board.lens.gaps.torn],
    receiptP95Ms,
  }
}
