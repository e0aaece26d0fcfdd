import { describe, expect, test } from "vitest"
import { minutes, OwnerKeys, seconds, virtualCamera } from "../../../harness/virtual/testing.ts"

/** How a firmware developer tests a camera in virtual time. Read it as documentation of `harness/virtual/testing.ts`. */

describe("a camera in virtual time", () => {
  test("records who walks by, and delivers it for its owner alone", async () => {
    const camera = await virtualCamera()

    await camera.walkBy()
    expect(camera.isRecording).toBe(true)
    await camera.advance(minutes(1))

    expect(camera.isRecording).toBe(false)
    expect(camera).toHaveDelivered(1)
    await expect(camera).toBeOpenableOnlyBy(camera.owner)
  })

  test("records the bell, and a scene of one's own choice", async () => {
    const camera = await virtualCamera({
      scene: "night-cat",
      config: { recording: { postRoll: seconds(2) } },
    })

    await camera.pressBell()
    await camera.until("clip recorded")
    await camera.advance(minutes(1))

    expect(camera).toHaveDelivered(1)
  })

  test("keeps nothing of leaves in the wind", async () => {
    const camera = await virtualCamera({ scene: "windy-tree", eyes: "truth" })

    await camera.walkBy()
    await camera.until("clip discarded")
    await camera.advance(minutes(1))

    expect(camera).toHaveDelivered(0)
  })

  test("records without a network, and delivers when it is back", async () => {
    const camera = await virtualCamera()

    await camera.unplugNetwork()
    for (let visit = 0; visit < 3; visit++) {
      await camera.walkBy()
      await camera.advance(minutes(10))
    }
    expect(camera).toHaveDelivered(0)

    await camera.plugNetwork()
    await camera.advance(minutes(2))
    expect(camera).toHaveDelivered(3)
  })

  test("that loses power in the middle of a clip delivers what was safe, and says where it was cut", async () => {
    const camera = await virtualCamera()

    await camera.walkBy(seconds(4))
    await camera.cutPower()
    await camera.advance(minutes(5))
    expect(camera).toHaveDelivered(0)

    await camera.restorePower()
    await camera.advance(minutes(2))
    expect(camera).toHaveDelivered(1)
    expect(camera.delivered[0]).toMatchObject({ cut: true })
    await expect(camera).toBeOpenableOnlyBy(camera.owner)
  })

  test("whose uplink is slow delivers all the same", async () => {
    const camera = await virtualCamera({ link: { latency: 300, bytesPerSecond: 8_000 } })

    await camera.walkBy()
    await camera.advance(seconds(20))
    expect(camera).toHaveDelivered(0)
    await camera.advance(minutes(5))
    expect(camera).toHaveDelivered(1)
  })

  test("lives a day while nobody waits: a visit every three hours", { timeout: 120_000 }, async () => {
    const camera = await virtualCamera({ lensRests: true })
    for (let hour = 0; hour < 24; hour += 3) {
      await camera.walkBy()
      await camera.advance(minutes(180))
    }
    expect(camera).toHaveDelivered(8)
  })

  test("shares a cloud with another household's, and neither opens the other's clips", async () => {
    const ours = await virtualCamera()
    const theirs = await virtualCamera({ cloud: ours.cloud, owner: await OwnerKeys.create() })

    await ours.walkBy()
    await theirs.walkBy()
    await ours.advance(minutes(1))
    await theirs.advance(0)

    await expect(ours).toBeOpenableOnlyBy(ours.owner)
    await expect(theirs).toBeOpenableOnlyBy(theirs.owner)
    await expect(ours).not.toBeOpenableOnlyBy(theirs.owner)
  })
})

describe("the matchers fail where they must", () => {
  test("toHaveDelivered counts exactly, and shows what the camera logged", async () => {
    const camera = await virtualCamera()
    await camera.walkBy()
    await camera.advance(minutes(1))
    expect(() => expect(camera).toHaveDelivered(2)).toThrow(
      /expected 2 whole clips.*there are 1[\s\S]*"received"/,
    )
    expect(() => expect("camera").toHaveDelivered(1)).toThrow(/what virtualCamera\(\) returned/)
  })

  test("toBeOpenableOnlyBy wants clips, and their true owner", async () => {
    const camera = await virtualCamera()
    await expect(expect(camera).toBeOpenableOnlyBy(camera.owner)).rejects.toThrow(/none is delivered yet/)
    await camera.walkBy()
    await camera.advance(minutes(1))
    const stranger = await OwnerKeys.create()
    await expect(expect(camera).toBeOpenableOnlyBy(stranger)).rejects.toThrow(/expected the owner to open/)
  })
})
