import type { Frame as AvFrame, CodecContext, Packet } from "node-av/lib"
import { Fault } from "../../firmware/errors.ts"
import type { Frame } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import type { Av } from "./av.ts"
import { FrameMaker, PICTURE_PIXELS_MAX } from "./picture.ts"

/** Coded pictures that can be decoded by themselves. */
export type PictureCodec = "H264" | "MJPEG" | "PNG" | "WEBP" | "GIF" | "TIFF" | "BMP"

/**
 * The picture in `bytes`: a key frame's access unit with its parameter sets (Annex B), or a whole picture file.
 * @throws Fault "malformed", definite: no such picture, or one that is damaged.
 */
export function decodeOne(av: Av, codec: PictureCodec, bytes: Uint8Array, at: Milliseconds): Frame {
  const context = new av.CodecContext()
  const packet = new av.Packet()
  const decoded = new av.Frame()
  const maker = new FrameMaker(av)
  try {
    open(av, context, codec)
    packet.alloc()
    packet.data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    decoded.alloc()
    if (!receive(context, packet, decoded) || decoded.decodeErrorFlags !== 0)
      throw new Fault("malformed", "it cannot be decoded: it is damaged, or no such picture")
    return maker.frame(decoded, at)
  } finally {
    maker.close()
    decoded.free()
    packet.free()
    context.freeContext()
  }
}

function open(av: Av, context: CodecContext, name: PictureCodec): void {
  const codec = av.Codec.findDecoder(av[`AV_CODEC_ID_${name}`])
  if (!codec) throw new Fault("unsupported", `this FFmpeg has no decoder for ${name}`)
  context.allocContext3(codec)
  context.threadCount = 1
  // What is damaged is said, not guessed at.
  context.setOption("err_detect", "crccheck+bitstream+buffer+explode")
  // Said by its header, before memory is taken for it.
  context.setOption("max_pixels", String(PICTURE_PIXELS_MAX))
  if (context.open2Sync(codec) < 0) throw new Fault("unsupported", `the decoder for ${name} does not start`)
}

/** The end of the stream makes a decoder give what it holds back. */
function receive(context: CodecContext, packet: Packet, into: AvFrame): boolean {
  return (
    context.sendPacketSync(packet) >= 0 &&
    context.sendPacketSync(null) >= 0 &&
    context.receiveFrameSync(into) >= 0
  )
}
