import { isFault } from "../../firmware/errors.ts"
import { MiB } from "../../firmware/units.ts"
import { fleetConfig } from "../../simulator/fleet.ts"
import type { ClipTally } from "../../simulator/tally.ts"
import { coversMotion, type Span } from "../owner/compare.ts"
import { Vault, type VaultClip } from "../owner/vault.ts"
import { doubledClips } from "./doubled-clips.ts"
import type { Evidence, Judgement, JudgeOptions } from "./evidence.ts"
import { Findings, INVARIANTS } from "./findings.ts"
import { type ClipFindings, judgeClip, objectsOf, RememberingSource, sealedBytes } from "./judge-clip.ts"
import type { CameraResult } from "./messages.ts"
import { Outsiders } from "./outsiders.ts"
import type { Owner } from "./pairing.ts"
import { searchPlain } from "./plain-search.ts"
import { sawItsMotion } from "./struck.ts"

/** Opens and compares everything, as each owner, and lets everybody else try. */
export async function judge(evidence: Evidence, options: JudgeOptions = {}): Promise<Judgement> {
  const trial = new Trial(evidence, options)
  for (const camera of evidence.cameras) await trial.hear(camera)
  await trial.search()
  return trial.judgement()
}

class Trial {
  readonly #evidence: Evidence
  readonly #options: JudgeOptions
  readonly #outsiders: Outsiders
  readonly #ownerOf: ReadonlyMap<number, Owner>
  readonly #findings = new Findings()
  readonly #clips = {
    recorded: 0,
    discarded: 0,
    cut: 0,
    delivered: 0,
    opened: 0,
    lost: 0,
    doubled: 0,
    openedByOthers: 0,
  }
  readonly #segments = { sealed: 0, delivered: 0, dropped: 0 }
  readonly #bytes = { sealed: 0, padding: 0, delivered: 0 }
  readonly #cameras = { connected: 0, failed: 0 }
  readonly #lostOf = new Map<number, number>()
  #units = 0
  #heard = 0
  #listedObjects = 0

  constructor(evidence: Evidence, options: JudgeOptions) {
    this.#evidence = evidence
    this.#options = options
    this.#ownerOf = new Map(evidence.owners.map((owner) => [owner.index, owner]))
    this.#outsiders = new Outsiders(evidence.owners, evidence.serverKeys, evidence.seed)
  }

  async hear(camera: CameraResult): Promise<void> {
    this.#hearCamera(camera)
    for (const clip of camera.clips) this.#hearClip(clip)
    const owner = this.#ownerOf.get(camera.index)
    if (owner) await this.#visit(camera, owner)
    this.#options.onProgress?.(++this.#heard, this.#bytes.delivered)
  }

  async search(): Promise<void> {
    const { strangersLetIn } = this.#evidence
    if (strangersLetIn > 0)
      this.#findings.add("strangers let in", `${strangersLetIn} with a key of their own`, strangersLetIn)
    const { canary, plainPlaces, plainThings, storedObjects } = this.#evidence
    const { found, bytes } = await searchPlain(plainPlaces, canary, plainThings)
    for (const { file, at, form } of found)
      this.#findings.add("canaries in plain", `${file}: byte ${at} (${form})`)
    const much = `${(bytes / MiB).toFixed(0)} MiB of bucket and logs, in 7 spellings`
    this.#findings.detail("canaries in plain", `searched ${much}`)
    const orphans = storedObjects - this.#listedObjects
    if (orphans > 0)
      this.#findings.add("objects that nobody lists", `${orphans} of ${storedObjects}`, orphans)
  }

  judgement(): Judgement {
    if (this.#clips.delivered === 0) this.#findings.add("runs without a clip", "no clip was delivered")
    this.#findings.detail(
      "clips opened by others",
      `${this.#outsiders.tries.toLocaleString("en-US")} tries by other owners and server keys`,
    )
    this.#findings.detail(
      "clips that differ",
      `${INVARIANTS["clips that differ"]}: ${this.#units.toLocaleString("en-US")} pictures`,
    )
    return {
      clips: this.#clips,
      segments: this.#segments,
      bytes: this.#bytes,
      cameras: this.#cameras,
      failures: this.#findings.failures,
      lostOf: this.#lostOf,
      invariants: this.#findings.invariants(this.#evidence.limits),
    }
  }

  // What a camera says of itself

  #hearCamera(camera: CameraResult): void {
    const { index, connects, connected, settled, fault, complaints, moreComplaints, clips } = camera
    if (connects > 0) this.#cameras.connected++
    const paired = this.#ownerOf.has(index)
    if (connects === 0 || fault !== null || !paired) {
      this.#cameras.failed++
      const why = fault ?? (paired ? "never connected" : "was not paired")
      this.#findings.add("cameras that did not come up", `camera ${index}: ${why}`)
    }
    const unfinished = clips
      .filter(({ outcome }) => outcome === "open")
      .map(({ clip }) => `clip ${clip} was not finished`)
    for (const complaint of [...complaints, ...unfinished])
      this.#findings.add("complaints of cameras", `camera ${index}: ${complaint}`)
    if (moreComplaints > 0)
      this.#findings.add("complaints of cameras", `camera ${index}: ${moreComplaints} more`, moreComplaints)
    if (connects > 0 && fault === null && !(connected && settled))
      this.#findings.add(
        "cameras that did not recover",
        `camera ${index}: ${connected ? "its spool is not empty" : "not connected"}`,
      )
  }

  #hearClip({ outcome, segments, sealedBytes, paddingBytes }: ClipTally): void {
    if (outcome === "discarded") this.#clips.discarded++
    if (outcome === "cut" && segments > 0) this.#clips.cut++
    if (outcome !== "recorded") return
    this.#clips.recorded++
    this.#segments.sealed += segments
    this.#bytes.sealed += sealedBytes
    this.#bytes.padding += paddingBytes
  }

  // What the cloud has of it

  async #visit(camera: CameraResult, owner: Owner): Promise<void> {
    const source = new RememberingSource(this.#evidence.source)
    const vault = new Vault(source, owner.camera, owner.keys.identity)
    const view = await vault.view()
    for (const alert of view.alerts)
      this.#findings.add("alerts in chains of manifests", `camera ${camera.index}: ${JSON.stringify(alert)}`)
    const doubled = await doubledClips(this.#evidence.source, owner.camera.id)
    this.#clips.doubled += doubled.size
    for (const clip of doubled) this.#findings.add("clips doubled", `camera ${camera.index}: clip ${clip}`)
    const tallies = new Map(camera.clips.map((tally) => [tally.clip, tally]))
    const shown: { readonly tally: ClipTally; readonly span: Span }[] = []
    for (const clip of view.clips) {
      const tally = tallies.get(clip.clip)
      const objects = objectsOf(clip)
      this.#listedObjects += objects.filter(({ fate }) => fate === "received").length
      if (tally?.outcome === "cut" || tally?.outcome === "lost") {
        tallies.delete(clip.clip)
        await this.#weighCut(camera, clip, tally, vault, source)
        continue
      }
      if (tally?.outcome !== "recorded") {
        // A clip that was not finished may be there in part: that it was not finished is counted already.
        if (tally?.outcome !== "open")
          this.#findings.add(
            "discarded clips in the cloud",
            `camera ${camera.index}: clip ${clip.clip} (${tally?.outcome ?? "unknown to its camera"})`,
          )
        continue
      }
      tallies.delete(clip.clip)
      const span = await this.#weigh(camera, clip, tally, vault, source)
      if (span) shown.push({ tally, span })
    }
    this.#checkMotions(camera, shown)
    for (const { clip, outcome, segments } of tallies.values()) {
      if (outcome === "recorded") this.#lose(camera, clip, "no manifest lists it")
      if (outcome === "cut" && segments > 0)
        this.#lose(
          camera,
          clip,
          `${segments} segments were safe when the power went, and no manifest lists it`,
        )
    }
  }

  /** Of a clip that its camera could not finish, what was safe must be there, from its beginning and as it was. */
  async #weighCut(
    camera: CameraResult,
    clip: VaultClip,
    tally: ClipTally,
    vault: Vault,
    source: RememberingSource,
  ): Promise<void> {
    const received = clip.segments.filter(({ fate }) => fate === "received")
    this.#bytes.delivered += sealedBytes(objectsOf(clip).filter(({ fate }) => fate === "received"))
    const dropped = clip.segments.filter(({ fate }) => fate === "dropped by the camera").length
    if (tally.outcome === "cut" && received.length + dropped < tally.segments) {
      this.#lose(
        camera,
        clip.clip,
        `${received.length} of ${tally.segments} segments that were safe are there`,
      )
      return
    }
    if (received.length === 0) return
    if (dropped > 0) return this.#openRest(camera, clip, vault, source)
    const gaps = { missed: new Set(camera.missedGroups), torn: new Set(camera.tornGroups) }
    const findings = await judgeClip(clip, vault, this.#evidence.camera(camera.index), gaps)
    this.#record(camera, clip, findings)
    await this.#letOthersTry(camera, clip, source)
  }

  async #weigh(
    camera: CameraResult,
    clip: VaultClip,
    tally: ClipTally,
    vault: Vault,
    source: RememberingSource,
  ): Promise<Span | null> {
    const objects = objectsOf(clip)
    this.#segments.delivered += clip.segments.filter(({ fate }) => fate === "received").length
    this.#segments.dropped += clip.segments.filter(({ fate }) => fate === "dropped by the camera").length
    this.#bytes.delivered += sealedBytes(objects.filter(({ fate }) => fate === "received"))
    const missing = objects.filter(({ fate }) => fate !== "received")
    if (missing.length === 0 && (!clip.whole || objects.length < tally.objects))
      return this.#lose(camera, clip.clip, `${objects.length} of ${tally.objects} objects are listed`)
    const lost = missing.find(({ fate }) => fate !== "dropped by the camera")
    if (lost) return this.#lose(camera, clip.clip, `${lost.entry.kind} ${lost.entry.index} is ${lost.fate}`)
    // Dropped with a record: neither delivered nor lost. What is there of it is sealed like any other.
    if (missing.length > 0) {
      await this.#openRest(camera, clip, vault, source)
      return null
    }
    this.#clips.delivered++
    const gaps = { missed: new Set(camera.missedGroups), torn: new Set(camera.tornGroups) }
    const findings = await judgeClip(clip, vault, this.#evidence.camera(camera.index), gaps)
    this.#record(camera, clip, findings)
    if (findings.opened) this.#clips.opened++
    await this.#letOthersTry(camera, clip, source)
    if (findings.opened) await this.#options.onOpened?.(camera.index, clip.clip, findings.opened.film)
    return findings.span
  }

  /** Of a clip that was dropped in part, each object that is there. */
  async #openRest(
    camera: CameraResult,
    clip: VaultClip,
    vault: Vault,
    source: RememberingSource,
  ): Promise<void> {
    for (const object of objectsOf(clip).filter(({ fate }) => fate === "received"))
      try {
        await vault.open(object)
      } catch (error) {
        if (!isFault(error)) throw error
        const what = `clip ${clip.clip}, ${object.entry.kind} ${object.entry.index}`
        this.#findings.add("clips unreadable", `camera ${camera.index}: ${what}: ${error.message}`)
      }
    await this.#letOthersTry(camera, clip, source)
  }

  async #letOthersTry(camera: CameraResult, clip: VaultClip, source: RememberingSource): Promise<void> {
    const opened = await this.#outsiders.open(source.forget(), camera.index)
    if (opened === 0) return
    this.#clips.openedByOthers++
    this.#findings.add("clips opened by others", `camera ${camera.index}: clip ${clip.clip}, ${opened} times`)
  }

  #checkMotions(
    { index }: CameraResult,
    shown: readonly { readonly tally: ClipTally; readonly span: Span }[],
  ): void {
    const blows = this.#evidence.struck(index)
    const camera = this.#evidence.camera(index)
    const { recording } = fleetConfig(camera.footage)
    const spans = shown.map(({ span }) => span)
    for (const { tally, span } of shown.filter(({ tally }) => sawItsMotion(tally, blows))) {
      const { triggerGroup, stillGroup } = tally
      const motion = { triggerGroup, stillGroup: stillGroup ?? triggerGroup }
      if (!coversMotion(span, spans, motion, camera, recording))
        this.#findings.add(
          "clips that miss their motion",
          `camera ${index}: clip ${tally.clip} shows groups ${span.from} to ${span.to - 1}, ` +
            `the motion was in ${triggerGroup} to ${motion.stillGroup}`,
        )
    }
  }

  #record({ index }: CameraResult, { clip }: VaultClip, findings: ClipFindings): void {
    const { unreadable, differs, units } = findings
    this.#units += units
    if (unreadable) this.#findings.add("clips unreadable", `camera ${index}: clip ${clip}: ${unreadable}`)
    if (differs) this.#findings.add("clips that differ", `camera ${index}: clip ${clip}: ${differs}`)
  }

  #lose({ index }: CameraResult, clip: string, why: string): null {
    this.#clips.lost++
    this.#lostOf.set(index, (this.#lostOf.get(index) ?? 0) + 1)
    this.#findings.add("clips lost", `camera ${index}: clip ${clip}: ${why}`)
    return null
  }
}
