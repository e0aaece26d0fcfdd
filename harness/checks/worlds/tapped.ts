import type { MemoryCloud } from "../../virtual/memory-cloud.ts"

/** What was on a wire, both ways, all connections joined. */
export interface Wire {
  readonly bytes: Buffer
}

/** The same cloud, with somebody on the wire who hears every byte. */
export function tapped(cloud: MemoryCloud): { readonly cloud: MemoryCloud; readonly wire: Wire } {
  const heard: Buffer[] = []
  const dialler: MemoryCloud["dialler"] = {
    async dial(pin, signal) {
      const connection = await cloud.dialler.dial(pin, signal)
      const { stream } = connection
      const write: typeof stream.write = stream.write.bind(stream)
      stream.write = ((chunk: unknown, ...rest: unknown[]) => {
        if (chunk instanceof Uint8Array) heard.push(Buffer.from(chunk))
        return Reflect.apply(write, stream, [chunk, ...rest])
      }) as typeof stream.write
      return connection
    },
  }
  const wire = {
    get bytes() {
      return Buffer.concat(heard)
    },
  }
  return { cloud: { ...cloud, dialler }, wire }
}
