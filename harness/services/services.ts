import { join } from "node:path"
import type { UnixMilliseconds } from "../../firmware/units.ts"
import type { LogOfAccesses } from "../cloud/log/access-log.ts"
import { LabellingIntake } from "./labelling/intake.ts"
import { LabellingStore } from "./labelling/store.ts"
import { Workplace } from "./labelling/workplace.ts"
import { Board } from "./neighbours/board.ts"
import { type Recording, recordingTo } from "./records.ts"
import { ServiceFolder } from "./service-folder.ts"
import { StaffRegistry } from "./staff/registry.ts"
import { Sessions } from "./staff/sessions.ts"
import { SupportDesk } from "./support/desk.ts"

/** The three services of one cloud, whose folder is `cloud`, and who works in them. */
export interface Services {
  readonly staff: StaffRegistry
  readonly sessions: Sessions
  readonly support: SupportDesk
  readonly labelling: {
    readonly store: LabellingStore
    readonly intake: LabellingIntake
    readonly workplace: Workplace
  }
  readonly neighbours: Board
  readonly record: Recording
}

/** `log`: where what they do is recorded; by default the log of that cloud, which takes it while it runs or when it starts. */
export function openServices(
  cloud: string,
  log: LogOfAccesses | string = join(cloud, "log"),
  now: () => UnixMilliseconds = Date.now,
): Services {
  const folder = (name: string) => new ServiceFolder(join(cloud, "services", name))
  const record = recordingTo(log)
  const staff = new StaffRegistry(folder("staff"), now)
  const sessions = new Sessions(folder("staff"), staff, now)
  const store = new LabellingStore(folder("labelling"))
  const intake = new LabellingIntake({ store, record, now })
  return {
    staff,
    sessions,
    support: new SupportDesk({ folder: folder("support"), staff, record }),
    labelling: { store, intake, workplace: new Workplace({ store, record, now, intake, sessions }) },
    neighbours: new Board({ folder: folder("neighbours"), record, now }),
    record,
  }
}
