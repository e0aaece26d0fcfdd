import type { LogLine } from "../../firmware/log.ts"
import type { Log } from "../../firmware/ports.ts"
import type { Bytes, Milliseconds } from "../../firmware/units.ts"

/** All of it since the start, of objects with verified receipts. */
export interface FleetMark {
  readonly bytes: Bytes
  /** Of whole objects as they were uploaded. */
  readonly sealedBytes: Bytes
  readonly paddingBytes: Bytes
  readonly objects: number
  readonly manifests: number
  readonly manifestBytes: Bytes
  readonly connected: number
  readonly faults: readonly string[]
  /** From an object's listing to its receipt; since the last mark. */
  readonly latencies: readonly Milliseconds[]
}

/** Counts what the cameras of a busy fleet say. */
export class FleetTally {
  readonly faults: string[] = []
  readonly #countedBytes: (sealedBytes: Bytes) => Bytes
  readonly #latencies: Milliseconds[] = []
  #bytes: Bytes = 0
  #sealedBytes: Bytes = 0
  #paddingBytes: Bytes = 0
  #objects = 0
  #manifests = 0
  #manifestBytes: Bytes = 0
  #connected = 0

  constructor(countedBytes: (sealedBytes: Bytes) => Bytes) {
    this.#countedBytes = countedBytes
  }

  logOf(onReceived: (objects: number) => void): Log {
    const waiting: { readonly sealedBytes: Bytes; readonly paddingBytes: Bytes }[] = []
    return {
      write: (line: LogLine) => {
        if (line.event === "object sealed") waiting.push(line)
        else if (line.event === "received") {
          const count = line.to - line.from + 1
          for (const { sealedBytes, paddingBytes } of waiting.splice(0, count)) {
            this.#bytes += this.#countedBytes(sealedBytes)
            this.#sealedBytes += sealedBytes
            this.#paddingBytes += paddingBytes
            this.#latencies.push(line.after)
          }
          this.#objects += count
          onReceived(count)
        } else if (line.event === "connected") this.#connected++
        else if (
          line.event === "disconnected" ||
          line.event === "media skipped" ||
          line.event === "dropped" ||
          line.event === "fault" ||
          line.event === "upload repeated"
        )
          this.faults.push(JSON.stringify(line))
      },
    }
  }

  get objects(): number {
    return this.#objects
  }

  manifest(bytes: Bytes): void {
    this.#manifests++
    this.#manifestBytes += bytes
  }

  mark(): FleetMark {
    return {
      bytes: this.#bytes,
      sealedBytes: this.#sealedBytes,
      paddingBytes: this.#paddingBytes,
      objects: this.#objects,
      manifests: this.#manifests,
      manifestBytes: this.#manifestBytes,
      connected: this.#connected,
      faults: this.faults.slice(0, 5),
      latencies: this.#latencies.splice(0),
    }
  }
}
