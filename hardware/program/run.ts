import { uptime } from "node:os"
import { isFault, messageOf } from "../../firmware/errors.ts"
import type { Log } from "../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { type PiBoard, piBoard } from "../board.ts"
import { readModel } from "../model.ts"
import { readSettings, type Settings } from "../settings.ts"
import { type LifeParts, live } from "./life.ts"
import { ListenedLog } from "./listened-log.ts"
import { Liveness } from "./liveness.ts"
import { formFor, type LineForm, piLog } from "./log-lines.ts"
import { refuseDebugger } from "./no-debugger.ts"
import { type Paths, refuseWrongUser } from "./paths.ts"
import { type ServiceManager, serviceManager } from "./service-manager.ts"
import { StatusKeeper } from "./status-keeper.ts"
import { endAfter, stopOnSignals } from "./stop.ts"
import { VERSION } from "./version.ts"
import { feedWatchdog } from "./watchdog.ts"
import { WatchedDisk } from "./watched-disk.ts"

/** What is sealed is on the disk already: whoever still hangs after this has nothing to lose. */
const STOP_WITHIN: Milliseconds = seconds(5)

/**
 * `obscura-camera run`: the camera, until SIGTERM or Ctrl-C. One that is nobody's waits for its button and pairs; then
 * it runs.
 *
 * @throws Fault of any kind: what ended the camera, logged already. "usage" and "unpaired": it cannot even start so.
 */
export async function run(
  paths: Paths,
  env: NodeJS.ProcessEnv,
  form: LineForm = formFor(env),
): Promise<void> {
  await refuseWrongUser(paths)
  refuseDebugger()
  const model = await readModel()
  const settings = await readSettings(paths.settings, model)
  const log = new ListenedLog(piLog(form))
  const { signal } = stopOnSignals()
  const manager = serviceManager(env)
  const board = await piBoard(settings, model, paths, log, env)
  const callOff = endAfter(signal, STOP_WITHIN, () =>
    log.write({
      ...{ event: "fault", where: "stop", kind: "broken" },
      reason: "not everything has stopped in time; what was sealed is safe on the disk",
    }),
  )
  try {
    await runOn(board, settings, paths, log, manager, signal)
  } catch (error) {
    faultsOf("camera", log)(error)
    throw error
  } finally {
    await board.close()
    callOff()
  }
}

/** The camera's life on this board, watched: for its status file, and for systemd. */
async function runOn(
  board: PiBoard,
  settings: Settings,
  paths: Paths,
  log: ListenedLog,
  manager: ServiceManager,
  signal: AbortSignal,
): Promise<void> {
  const { clock, health, readSetupText } = board
  const disk = await WatchedDisk.over(board.disk, clock)
  const liveness = new Liveness(clock, settings.camera.link, () => disk.silence())
  const status = new StatusKeeper({
    ...{ clock, disk, health, runtime: paths.runtime, version: VERSION, broker: settings.broker ?? null },
    recognition: () => board.recognition.facts(),
    onState: (state) => void manager.status(state).catch(faultsOf("systemd", log)),
    onError: faultsOf("status file", log),
  })
  log.followedBy(liveness, status)
  const stopFeeding = feedWatchdog({
    ...{ manager, clock, stuck: () => liveness.stuck(), report: faultsOf("watchdog", log) },
  })
  try {
    await manager.ready()
    board.recognition.begin()
    const parts: LifeParts = {
      board: { ...board, disk, lens: liveness.hears(board.lens) },
      ...{ readSetupText, uptime: uptime(), settingsFile: paths.settings },
      onKnown: (facts) => status.knows(facts),
    }
    await live(parts, settings, signal)
  } finally {
    await manager.stopping().catch(faultsOf("systemd", log))
    stopFeeding()
    await status.close()
  }
}

function faultsOf(where: string, log: Log): (error: unknown) => void {
  return (error) =>
    log.write({
      ...{ event: "fault", where, reason: messageOf(error) },
      kind: isFault(error) ? error.kind : "unknown",
    })
}
