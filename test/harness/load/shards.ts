import { encodeIntoCompressedBase64 } from "hdr-histogram-js"
import { INVARIANTS } from "../../../harness/load/findings.ts"
import type { RunNumbers } from "../../../harness/load/numbers.ts"
import { SERIES, type Series, type SeriesName } from "../../../harness/load/series.ts"
import { camerasOf } from "../../../harness/load/shard.ts"
import type { SavedShard, ShardFile } from "../../../harness/load/shard-file.ts"
import { parseScenario } from "../../../harness/scenario/load-scenario.ts"
import type { ScenarioInput } from "../../../harness/scenario/scenario.ts"
import { histogramOf } from "./readings.ts"

const CAMERAS = 10

/** A shard as a run writes it; `latencies` in ms, one for each object received. */
export function shardFile(
  index: number,
  of: number,
  latencies: readonly number[],
  scenario: Partial<ScenarioInput> = {},
): ShardFile {
  const { from, to } = camerasOf(CAMERAS, { index, of })
  return {
    schema: "obscura.shard.v1",
    shard: { index, of, from, to },
    run: {
      ...{ name: "steady", seed: 42, commit: "0123abc", command: "npm start -- --seed 42" },
      scenario: parseScenario({ description: "a test", fleet: { cameras: CAMERAS }, ...scenario }, "test"),
    },
    begunAt: 1_772_366_400_000,
    numbers: numbersOf(from, to, latencies),
  }
}

export function saved(...files: readonly ShardFile[]): readonly SavedShard[] {
  return files.map((file) => ({ path: `shard-${file.shard.index}`, file }))
}

function numbersOf(from: number, to: number, latencies: readonly number[]): RunNumbers {
  const asked = to - from
  const receipt = latencies.length === 0 ? null : encodeIntoCompressedBase64(histogramOf(latencies))
  return {
    cameras: { asked, connected: asked, failed: 0 },
    clips: {
      ...{ recorded: asked, discarded: 0, cut: 0, delivered: asked, opened: asked },
      ...{ lost: 0, doubled: 0, openedByOthers: 0 },
    },
    segments: { sealed: asked, delivered: asked, dropped: 0 },
    bytes: { sealed: asked * 1_000, padding: asked * 100, delivered: asked * 1_000 },
    invariants: Object.entries(INVARIANTS).map(([name, text]) => ({
      ...{ name, count: 0, limit: 0 },
      detail: name === "clips opened by others" ? `1,${asked}00 tries by others` : text,
    })),
    failures: [],
    times: { receipt, alert: null, connect: null, backOff: null, lag: null, live: null },
    counts: {
      ...{ visits: asked, missedVisits: 1, connects: asked, disconnects: 0 },
      ...{ droppedObjects: 0, refusedUploads: 0, strangersLetIn: 0 },
    },
    up: { hits: asked * 3, total: asked * 4 },
    seconds: 30 + from,
    recoverySeconds: from,
    usage: {
      ...{ camerasSeconds: 2, sealingSeconds: 1, camerasMiB: 100 },
      ...{ brokerSeconds: 3, ingestSeconds: 1, brokerMiB: 50 },
    },
    idle: { mebibytes: asked, cameras: asked },
    worst: Array.from({ length: asked }, (_, i) => ({
      ...{ camera: from + i, up: true, connects: 1, clips: 1, lost: 0, dropped: 0 },
      ...{ p95Ms: from + i, complaints: [] },
    })),
    series: seriesOf(asked),
  }
}

function seriesOf(value: number): Series {
  const columns = Object.fromEntries(
    (Object.keys(SERIES) as SeriesName[]).map((name) => [name, [value, null, value]]),
  ) as Series["columns"]
  return { schema: "obscura.series.v1", at: [1.001, 2.003, 3.004], columns }
}
