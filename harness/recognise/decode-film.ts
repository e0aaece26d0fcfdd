import { stat } from "node:fs/promises"
import { basename } from "node:path"
import type { Frame as AvFrame, CodecContext, FormatContext, Packet, Stream } from "node-av/lib"
import { Fault, isFault } from "../../firmware/errors.ts"
import type { Frame } from "../../firmware/ports.ts"
import type { Milliseconds, Seconds } from "../../firmware/units.ts"
import { type Av, loadAv } from "../../hardware/detector/av.ts"
import { FrameMaker, PICTURE_PIXELS_MAX } from "../../hardware/detector/picture.ts"

/** A film of any container and codec that FFmpeg knows, as frames, faster than real time. */
export interface FilmFrames {
  readonly name: string
  /** null: the file does not say. */
  readonly duration: Seconds | null
  /** Of its pictures as they are stored, in pixels. */
  readonly width: number
  readonly height: number
  /** Pictures so far that could not be decoded. */
  readonly damaged: number
  /**
   * The first picture and then one for each `every`; `at` is the film's time, from 0, and rises. Upright, the longer side
   * at most 640 pixels. Once: it closes the film when it ends, or `signal` aborts.
   * @throws Fault "malformed", definite: no picture at all could be decoded.
   */
  frames(every: Milliseconds, signal: AbortSignal): AsyncGenerator<Frame>
  /** Only where `frames` is not called. */
  close(): Promise<void>
}

/**
 * @throws Fault, definite, one line that begins with the file's name. "usage": it cannot be read; "malformed": no film, or
 *         cut short before its index; "unsupported": no pictures in it, or nothing here decodes it.
 */
export async function openFilm(path: string): Promise<FilmFrames> {
  const name = basename(path)
  const found = await stat(path).catch(() => null)
  if (!found?.isFile()) throw new Fault("usage", `${name}: cannot be opened; check that the file is there`)
  if (found.size === 0) throw new Fault("malformed", `${name}: is empty`)
  try {
    return await Film.open(await loadAv(), path)
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Fault(cause.kind, `${name}: ${cause.message}`, { cause })
  }
}

/** Pictures a second, where the stream does not say. */
const NOMINAL_RATE = 25

interface FilmParts {
  readonly av: Av
  readonly file: FormatContext
  readonly stream: Stream
  readonly decoder: CodecContext
}

class Film implements FilmFrames {
  readonly name: string
  readonly duration: Seconds | null
  readonly width: number
  readonly height: number
  damaged = 0
  readonly #parts: FilmParts
  #closed = false

  constructor(name: string, parts: FilmParts) {
    const { file, stream } = parts
    this.#parts = parts
    this.name = name
    this.duration = file.duration > 0n ? Number(file.duration) / 1_000_000 : null
    this.width = stream.codecpar.width
    this.height = stream.codecpar.height
  }

  static async open(av: Av, path: string): Promise<Film> {
    const file = new av.FormatContext()
    file.allocContext()
    if ((await file.openInput(path)) < 0)
      throw new Fault("malformed", "is no film, or was cut short before its index; copy it again")
    const decoder = new av.CodecContext()
    try {
      await file.findStreamInfo()
      const stream = file.streams?.[file.findBestStream(av.AVMEDIA_TYPE_VIDEO)]
      if (!stream) throw new Fault("unsupported", "has no pictures")
      const codec = av.Codec.findDecoder(stream.codecpar.codecId)
      if (!codec) throw new Fault("unsupported", "holds a video codec that nothing here decodes")
      decoder.allocContext3(codec)
      decoder.setOption("max_pixels", String(PICTURE_PIXELS_MAX))
      if (decoder.parametersToContext(stream.codecpar) < 0 || (await decoder.open2(codec)) < 0)
        throw new Fault("malformed", "holds pictures that cannot be decoded; copy it again")
      return new Film(basename(path), { av, file, stream, decoder })
    } catch (error) {
      decoder.freeContext()
      await file.closeInput()
      throw error
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#parts.decoder.freeContext()
    await this.#parts.file.closeInput()
  }

  async *frames(every: Milliseconds, signal: AbortSignal): AsyncGenerator<Frame> {
    const maker = new FrameMaker(this.#parts.av)
    let first: Milliseconds | null = null
    let due = 0
    try {
      for await (const { picture, time } of this.#pictures(signal)) {
        first ??= time
        const at = time - first
        // Rounded times of 30 pictures a second are up to half a millisecond early.
        if (at < due - 1) continue
        // Where pictures are farther apart, from this one on.
        due = Math.max(due + every, at + every / 2)
        yield maker.frame(picture, at)
      }
      if (first === null && !signal.aborted)
        throw new Fault("malformed", `${this.name}: no picture of it can be decoded; copy it again`)
    } finally {
      maker.close()
      await this.close()
    }
  }

  /** Every picture in the order shown. It is good until the next is asked for. */
  async *#pictures(signal: AbortSignal): AsyncGenerator<{ picture: AvFrame; time: Milliseconds }> {
    const { av, file, stream } = this.#parts
    const { num, den } = stream.timeBase
    const packet = new av.Packet()
    const picture = new av.Frame()
    packet.alloc()
    picture.alloc()
    let last = Number.NEGATIVE_INFINITY
    let number = 0
    let begun = false
    try {
      while (!signal.aborted) {
        const more = (await file.readFrame(packet)) >= 0
        if (more && packet.streamIndex !== stream.index) {
          packet.unref()
          continue
        }
        this.#send(more ? packet : null)
        packet.unref()
        while (this.#receives(picture)) {
          begun ||= picture.keyFrame !== 0
          // Without what it refers to it is a guess in grey.
          if (!begun) {
            this.damaged++
            continue
          }
          const { bestEffortTimestamp: stamp } = picture
          // A raw stream has no times.
          const time =
            (stamp === av.AV_NOPTS_VALUE ? number / this.#nominalRate : (Number(stamp) * num) / den) * 1_000
          number++
          if (time > last) yield { picture, time }
          last = Math.max(last, time)
          if (signal.aborted) return
        }
        if (!more) return
      }
    } finally {
      picture.free()
      packet.free()
    }
  }

  /** Pictures a second, as the decoder has read by now. */
  get #nominalRate(): number {
    const { num, den } = this.#parts.decoder.framerate
    return num / den || NOMINAL_RATE
  }

  #send(packet: Packet | null): void {
    if (this.#parts.decoder.sendPacketSync(packet) < 0 && packet !== null) this.damaged++
  }

  #receives(picture: AvFrame): boolean {
    const { av, decoder } = this.#parts
    for (;;) {
      const result = decoder.receiveFrameSync(picture)
      if (result >= 0) return true
      if (result === av.AVERROR_EOF || result === av.AVERROR_EAGAIN) return false
      this.damaged++
    }
  }
}
