import { connect } from "node:net"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { deviceTopic } from "../../firmware/control/protocol.ts"
import { seconds } from "../../firmware/units.ts"
import { portsOfProcess } from "../../hardware/program/ports-open.ts"
import { Tries } from "../checks/check.ts"
import { intrude } from "./intruder.ts"
import { objectsIn, opens } from "./sealed-objects.ts"
import { identitiesOf } from "./server-secrets.ts"
import type { Insider, World } from "./world.ts"

/** What people choose, and what a factory prints: each alone, and with a year behind it. */
const WORDS =
  "password 123456 12345678 qwerty letmein admin root camera cameras video obscura ring doorbell secret default guest user changeme welcome iloveyou dragon monkey sunshine princess football baseball master hello freedom whatever trustno1 pass test owner household home family summer winter support service 0000 1111 1234"
    .split(" ")
    .flatMap((word) => [word, `${word}1`, `${word}2026`, word.toUpperCase()])
const OBJECTS_TRIED = 12
/** What a browser, a player and a scanner say first. */
const OPENERS: readonly string[] = [
  "GET / HTTP/1.1\r\nHost: camera\r\n\r\n",
  "OPTIONS rtsp://camera/live RTSP/1.0\r\nCSeq: 1\r\n\r\n",
  "\r\n",
]
const LISTENS = seconds(0.3)

export const guesser: Insider = {
  name: "guesser",
  has: "a word list, the network, and a copy of everything that the cloud holds",
  attempts: {
    C1: {
      when: "after",
      async run(world) {
        const tries = new Tries()
        const known = [...world.homes, ...world.others]
          .slice(0, 20)
          .flatMap(({ camera }) => [camera.id, camera.hex])
        const accounts = world.accounts.flatMap(({ email, inbox }) => [email, inbox])
        const guesses = [...WORDS, ...known, ...accounts].map((word) => Buffer.from(word))
        const keys = guesses.flatMap(identitiesOf)
        for await (const { entry, bytes } of objectsIn(world, undefined, OBJECTS_TRIED))
          for (const key of [
            ...keys,
            ...identitiesOf(Buffer.from(entry.id)),
            ...identitiesOf(Buffer.from(entry.clip)),
          ])
            tries.holds(!(await opens(bytes, key)), `a ${entry.kind} opens with a guess`)
        return tries
      },
    },
    C14: {
      when: "during",
      async run(world, signal) {
        const tries = new Tries()
        for (const id of world.processes) {
          const open = await portsOfProcess(id)
          if (open === null) continue
          for (const port of [...open.tcp, ...open.udp])
            tries.holds(world.ports.includes(port), `port ${port} is open and on no list`)
        }
        for (const port of world.ports)
          for (const opener of [
            ...OPENERS,
            ...addressesOf(world).map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`),
          ]) {
            const bytes = await answerOf(port, opener)
            tries.holds(
              bytes === 0,
              `port ${port} gives ${bytes} bytes to ${JSON.stringify(opener.slice(0, 12))}`,
            )
          }
        const camera = world.homes[0]?.camera
        if (camera)
          for (const word of WORDS.slice(0, 8)) {
            const key = signingKeyOf(identitySeed(word))
            for (const role of ["camera", "owner", "viewer"] as const) {
              const topics = [deviceTopic(camera.id, "manifest")]
              const { heard } = await intrude(world, { role, key, client: camera.id }, topics, [], 0, signal)
              tries.holds(heard.length === 0, "a guessed key is heard under a camera's name")
            }
          }
        return tries
      },
    },
  },
}

/** Where clips might lie, if one guesses as for other makers' clouds. */
function addressesOf({ homes }: World): readonly string[] {
  const ids = homes.map(({ camera }) => camera.id)
  return [
    "/",
    "/clips",
    "/bucket",
    "/metrics",
    ...ids.flatMap((id) => [`/${id}`, `/objects/${id}`, `/live/${id}`]),
  ]
}

function identitySeed(word: string): Uint8Array {
  return Buffer.alloc(32, word)
}

/** How many bytes come back before it hangs up, or in a moment. */
function answerOf(port: number, opener: string): Promise<number> {
  return new Promise((resolve) => {
    let bytes = 0
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write(opener))
    const end = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(bytes)
    }
    const timer = setTimeout(end, LISTENS)
    socket.on("data", (data) => {
      bytes += data.length
    })
    socket.on("close", end).on("error", end)
  })
}
