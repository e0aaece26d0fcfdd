import { time } from "../../virtual/install.ts"
import { type Run, Tries } from "../check.ts"
import { LiveRig, type Looker } from "../worlds/live-rig.ts"

/** What is between one viewer and the camera. */
export const checks = {
  "keys-are-fresh": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    const grant = rig.grant(rig.owner)
    const first = await rig.ask(rig.owner, grant)
    await rig.later(1_500)
    const second = await rig.ask(rig.owner, grant)
    await rig.later(1_500)
    const session = ({ messages }: Looker) => messages[0]?.toString("hex", 1, 17)
    tries.holds(
      session(first) !== undefined && session(first) !== session(second),
      "one session for two answers",
    )
    tries.is(rig.count("live view ended"), 1, "looks that ended when the same grant began another")
    for (const message of first.messages.slice(0, 5))
      tries.is(second.look.hearPart(message), null, "a picture of the first look, opened in the second")
    const answers = rig.broker.published
      .filter(({ topic, payload }) => topic.includes("/live/") && payload[0] !== 1)
      .map(({ payload }) =>
        JSON.parse(Buffer.from(JSON.parse(payload.toString()).payload, "base64").toString()),
      )
    const keys = answers.map(({ answer }) => answer).filter((key) => key !== undefined)
    tries.is(new Set(keys).size, keys.length, "ephemeral keys of the camera in its answers")
    await rig.stop()
    return tries
  },

  "pictures-authentic": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    const looker = await rig.looks()
    await rig.later(1_200)
    const honest = looker.hear.bind(looker)
    const held: Buffer[] = []
    let count = 0
    looker.hear = (payload) => {
      if (payload[0] !== 1) return honest(payload)
      count++
      if (count === 5) payload[payload.length - 20] = (payload.at(-20) ?? 0) ^ 1
      if (count === 35) return // lost
      if (count === 60) return void held.push(payload)
      honest(payload)
      if (count === 61) for (const late of held.splice(0)) honest(late)
      if (count % 2 === 0) honest(payload) // twice
    }
    await rig.later(6_000)
    const { pictures } = looker
    tries.holds(pictures.length > 40, `only ${pictures.length} pictures came through`)
    for (const message of looker.messages.slice()) honest(message)
    for (const [at, { counter, unit }] of pictures.entries()) {
      const before = pictures[at - 1]
      if (!before) continue
      tries.holds(counter > before.counter, "a picture was shown again, or out of turn")
      tries.holds(
        counter === before.counter + 1 || unit.keyFrame,
        "a picture was shown without those it is made of",
      )
    }
    await rig.stop()
    return tries
  },
} satisfies Readonly<Record<string, Run>>
