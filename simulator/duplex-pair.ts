import { Duplex } from "node:stream"

/**
 * Two ends of one connection in memory, with back-pressure: a write calls back once the other end has room again.
 * Closing one end ends the other, as with sockets. Bytes are handed over, not copied.
 */
export function duplexPair(): [Duplex, Duplex] {
  const near = new End()
  const far = new End()
  near.peer = far
  far.peer = near
  return [near, far]
}

type Callback = (error?: Error | null) => void

class End extends Duplex {
  peer: End | null = null
  /** The peer's last write, waiting for this end to read. */
  #waiting: Callback | null = null

  constructor() {
    super({ allowHalfOpen: false })
  }

  override _read(): void {
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    const peer = this.peer
    if (!peer || peer.destroyed) callback(closedByPeer())
    // An empty chunk would never be read, and so never called back.
    else if (chunk.length === 0) callback()
    else {
      peer.#waiting = callback
      peer.push(chunk)
    }
  }

  override _final(callback: Callback): void {
    this.peer?.push(null)
    callback()
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const peer = this.peer
    this.peer = null
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.(closedByPeer())
    // Not within the caller's own destroy: nobody expects the other end's events inside it.
    if (peer && !peer.destroyed) process.nextTick(() => peer.#end())
    callback(error)
  }

  /** What was pushed before can still be read; then this end closes too. */
  #end(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null)
  }
}

function closedByPeer(): Error {
  return Object.assign(new Error("write EPIPE: the other end is closed"), { code: "EPIPE" })
}
