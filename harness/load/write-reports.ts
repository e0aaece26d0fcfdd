import { writeFile } from "node:fs/promises"
import { junitOf } from "./junit.ts"
import { reportPage } from "./page/report-page.ts"
import { prometheusOf } from "./prometheus.ts"
import { type Report, writeReport } from "./report.ts"
import type { RunFolder } from "./run-folder.ts"
import type { Series } from "./series.ts"

/** Everything that a run's folder says of it. */
export async function writeReports(folder: RunFolder, report: Report, series: Series): Promise<void> {
  await writeReport(folder.report, report)
  await writeFile(folder.series, `${JSON.stringify(series)}\n`)
  await writeFile(folder.html, reportPage(report, series))
  await writeFile(folder.junit, junitOf(report))
  await writeFile(folder.metrics, prometheusOf(report))
}
