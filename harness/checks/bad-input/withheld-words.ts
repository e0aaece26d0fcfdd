import { publicKeyFromHex } from "../../../firmware/control/keys.ts"
import { minutes, seconds } from "../../../firmware/units.ts"
import { ask, resendCommand, sendCommand } from "../../owner/command.ts"
import { deleteQuestion, deleteRequest } from "../../owner/deletion.ts"
import { OwnerKeys } from "../../owner/keys.ts"
import { time } from "../../virtual/install.ts"
import { memoryCloud } from "../../virtual/memory-cloud.ts"
import { openVirtualCamera } from "../../virtual/virtual-camera.ts"
import { type Run, Tries } from "../check.ts"
import { LiveRig, newKey } from "../worlds/live-rig.ts"
import { withholding } from "../worlds/withholding.ts"

export const checks = {
  "withheld-words": async () => {
    const tries = new Tries()
    const { cloud, withhold } = withholding(await memoryCloud())
    const camera = await openVirtualCamera({ cloud })
    const { household, owner, config } = camera
    const key = household.camera
    if (!key) throw new Error("not paired")
    await camera.walkBy(seconds(3))
    await camera.advance(minutes(2))
    const signer = owner.signingKeyFor(key.id)
    const parts = { ...household.board, dialler: cloud.dialler, log: { write: () => undefined } }
    const broker = { name: cloud.identity.name, pin: null }
    const within = (patience: number) => {
      const until = new AbortController()
      setTimeout(() => until.abort(), patience)
      return until.signal
    }
    const resend = () => {
      const command = resendCommand(key.id, 0, 0, signer)
      return time.settle(
        sendCommand(command, key, signer, broker, parts, config.link, within(minutes(1))),
        minutes(3),
      )
    }
    const receiptKey = publicKeyFromHex(cloud.identity.receiptKey)
    const remove = () => {
      const wish = { device: key.id, what: { everything: true as const }, objects: [], clips: [] }
      const question = deleteQuestion(key.id, deleteRequest(wish, signer), receiptKey)
      return time.settle(ask(question, signer, broker, parts, config.link, within(minutes(1))), minutes(3))
    }
    for (const [name, say] of [
      ["command", resend],
      ["answer", resend],
      ["delete", remove],
      ["deleted", remove],
    ] as const) {
      withhold(name)
      tries.is(await say(), null, `what an owner is told while ${name} is withheld, but that nobody answers`)
      withhold(null)
      tries.holds((await say()) !== null, `no answer once ${name} is let through`)
      tries.is(household.fault, null, `a camera of which ${name} was withheld, its end`)
    }
    await camera.close()
    await cloud.close()
    return tries
  },

  "withheld-pairing": async () => {
    const tries = new Tries()
    for (const name of ["hello", "offer", "answer"]) {
      const { cloud, withhold } = withholding(await memoryCloud())
      const camera = await openVirtualCamera({ cloud })
      const { household } = camera
      await time.settle(household.stop(), minutes(1))
      for (const { name: file } of await camera.board.disk.private.list(""))
        await camera.board.disk.private.remove(file)
      const keys = await OwnerKeys.create()
      withhold(name)
      tries.is(
        await time.settle(household.pair(keys, minutes(2)), minutes(10)),
        false,
        `paired with ${name} withheld`,
      )
      withhold(null)
      // As the owner's app says: reset the camera and pair again.
      for (const { name: file } of await camera.board.disk.private.list(""))
        await camera.board.disk.private.remove(file)
      tries.is(
        await time.settle(household.pair(keys, minutes(2)), minutes(10)),
        true,
        `paired once ${name} is let through`,
      )
      tries.is(household.fault, null, `a camera of which ${name} was withheld, its end`)
      await time.settle(cloud.close(), minutes(1))
    }
    return tries
  },

  "withheld-view": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    const { onPublish } = rig.broker
    // The ask never comes: the camera knows of nothing.
    const unheard = rig.grant(rig.owner)
    await rig.later(3_000)
    tries.is(
      [rig.count("live view"), rig.visitor.seesLight],
      [0, false],
      "looks, and light, when the ask is withheld",
    )
    // The answer, and all pictures, never come.
    rig.broker.onPublish = (topic, payload) => {
      if (!topic.includes("/live/")) onPublish(topic, payload)
    }
    const blind = await rig.ask(rig.owner, unheard)
    await rig.later(13_000)
    tries.is(
      [blind.answer, blind.pictures.length],
      [null, 0],
      "what a viewer has when the answer is withheld",
    )
    tries.is(rig.visitor.seesLight, false, "light when nobody says that they see anything")
    tries.is(
      (await rig.chain()).map(({ kind }) => kind),
      ["live", "live end"],
      "what the chain says of it",
    )
    rig.broker.onPublish = onPublish
    // Reports never come: pictures stop, and the light goes out.
    const silent = await rig.ask(newKey(), rig.grant(newKey()))
    tries.holds(silent.answer !== "live", "a grant for somebody else")
    const looker = await rig.looks()
    looker.reports = false
    await rig.later(13_000)
    tries.is(rig.visitor.seesLight, false, "light when reports are withheld")
    const again = await rig.looks()
    await rig.later(2_000)
    tries.holds(again.pictures.length > 10, "nothing is seen once all is let through")
    await rig.stop()
    return tries
  },
} satisfies Readonly<Record<string, Run>>
