import { type Check, type Finding, judged } from "../check.ts"

/** A key frame late by more than this share leaves a gap before a clip. */
const KEY_FRAME_LATE = 1.5

/** The camera gives pictures that can be decoded, of the size that was asked for, with key frames as often. */
export const lens: Check = {
  name: "lens",
  mandatory: true,
  async run({ world, lens }): Promise<Finding> {
    const asked = world.config.lens
    const seen = await lens.stream()
    const keyFramesMax = KEY_FRAME_LATE * asked.groupOfPictures
    const size = `${seen.width} x ${seen.height}`
    const { keyFrameEvery } = seen
    return judged(
      [
        seen.flaws > 0 ? `media had to be skipped ${seen.flaws} times: check the ribbon cable` : null,
        seen.width !== asked.width || seen.height !== asked.height
          ? `pictures are ${size}, ${asked.width} x ${asked.height} was asked for`
          : null,
        // Where they come further apart than this looks, that they were not seen says nothing.
        asked.groupOfPictures <= 2_000 && (keyFrameEvery === null || keyFrameEvery > keyFramesMax)
          ? `a key frame ${keyFrameEvery === null ? "came once at most" : `only every ${Math.round(keyFrameEvery)} ms`}, each ${asked.groupOfPictures} ms was asked for`
          : null,
      ],
      `${size}, first picture after ${(seen.firstPictureAfter / 1_000).toFixed(1)} s, by ${world.lensChoice.program}`,
      {
        ...world.lensChoice,
        ...{ width: seen.width, height: seen.height, flaws: seen.flaws },
        firstPictureMilliseconds: Math.round(seen.firstPictureAfter),
        keyFrameEveryMilliseconds: keyFrameEvery === null ? null : Math.round(keyFrameEvery),
      },
      { width: asked.width, height: asked.height, keyFrameEveryMillisecondsMax: keyFramesMax },
    )
  },
}
