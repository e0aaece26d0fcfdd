import five from "johnny-five"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { VirtualIo } from "../../simulator/virtual-io.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] })
})
afterEach(() => {
  vi.useRealTimers()
})

async function boardOn(io: VirtualIo) {
  const board = new five.Board({ io, repl: false, debug: false, sigint: false })
  await new Promise<void>((resolve) => board.on("ready", resolve))
  return board
}

test("a ready board of johnny-five with switch, button and light keeps no timer", async () => {
  const io = new VirtualIo()
  const board = await boardOn(io)
  new five.Switch({ board, pin: 17, type: "NC" })
  new five.Button({ board, pin: 27, isPulldown: true })
  new five.Led({ board, pin: 22 }).on()
  await vi.advanceTimersByTimeAsync(10)
  expect(vi.getTimerCount()).toBe(0)
  expect(io.level(22)).toBe(1)
})

test("a servo turns, on a pin with hardware PWM", async () => {
  const io = new VirtualIo()
  const board = await boardOn(io)
  new five.Servo({ board, pin: 18, startAt: 90 }).to(45)
  // johnny-five spreads 0 to 180 degrees over pulses of 600 to 2,400 microseconds.
  expect(io.level(18)).toBe(1_050)
})

test("a record holds each write with its time, and ends at reset", async () => {
  const io = new VirtualIo()
  const board = await boardOn(io)
  let now = 0
  const writes = io.record(() => now)
  const led = new five.Led({ board, pin: 22 })
  now = 5
  led.on()
  now = 9
  led.off()
  io.reset()
  led.on()
  expect(writes).toEqual([
    { pin: 22, value: 1, at: 5 },
    { pin: 22, value: 0, at: 9 },
  ])
})

test("reset lets a held button go, so that johnny-five's hold timer ends", async () => {
  const io = new VirtualIo()
  const board = await boardOn(io)
  new five.Button({ board, pin: 27, isPulldown: true })
  await vi.advanceTimersByTimeAsync(10)
  io.set(27, 1)
  await vi.advanceTimersByTimeAsync(10)
  expect(vi.getTimerCount()).toBe(1)
  io.reset()
  await vi.advanceTimersByTimeAsync(10)
  expect(vi.getTimerCount()).toBe(0)
})

test("a closed IO is dead until reset", async () => {
  const io = new VirtualIo()
  const board = await boardOn(io)
  const led = new five.Led({ board, pin: 22 })
  await io.close()
  led.on()
  io.set(17, 1)
  expect([io.level(22), io.level(17)]).toEqual([0, 0])
  io.reset()
  led.on()
  io.set(17, 1)
  expect([io.level(22), io.level(17)]).toEqual([1, 1])
})
