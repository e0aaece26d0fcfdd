import type { Footage } from "./footage.ts"

/** The same pictures, shown faster or slower until they come to `bitsPerSecond`. Shares the footage's bytes. */
export function atRate({ groups, ...scene }: Footage, bitsPerSecond: number): Footage {
  const bytes = groups.reduce((sum, group) => sum + group.bytes.length, 0)
  const pace = (bytes * 8) / bitsPerSecond / (scene.duration / 90_000)
  const ticks = (time: number) => Math.round(time * pace)
  return {
    ...scene,
    framesPerSecond: scene.framesPerSecond / pace,
    duration: ticks(scene.duration),
    events: scene.events.map(({ start, end, label }) => ({ start: start * pace, end: end * pace, label })),
    boxes: scene.boxes.map((box) => ({ ...box, time: box.time * pace })),
    pictures: scene.pictures.map((picture) => ({ ...picture, time: picture.time * pace })),
    groups: groups.map((group) => ({
      ...group,
      timing: group.timing.map(({ pts, dts }) => ({ pts: ticks(pts), dts: ticks(dts) })),
      start: ticks(group.start),
      duration: ticks(group.start + group.duration) - ticks(group.start),
    })),
  }
}
