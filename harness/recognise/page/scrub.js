// Moves through films: point at the lanes of one, or focus them and press the arrow keys, or let it play.

const { films } = JSON.parse(document.getElementById("data").textContent)
const SVG = "http://www.w3.org/2000/svg"
const FAINT_FROM = 0.2
const PLAY_EVERY = 160

for (const lanes of document.querySelectorAll(".lanes")) {
  const film = films[Number(lanes.dataset.film)]
  if (!film || film.moments.length === 0) continue
  const section = lanes.closest(".film")
  const image = section.querySelector(".screen img")
  const over = section.querySelector(".over")
  const time = section.querySelector(".time")
  const said = section.querySelector(".said dl")
  const button = section.querySelector(".said button")
  const needle = lanes.querySelector(".needle")
  let now = 0
  let playing = null

  const show = (at) => {
    now = Math.max(0, Math.min(film.seconds, at))
    const moment = film.moments.findLast((each) => each.at <= now + 1e-6) ?? film.moments[0]
    const still = film.stills.reduce(
      (best, each) => (!best || Math.abs(each.at - moment.at) < Math.abs(best.at - moment.at) ? each : best),
      null,
    )
    if (image && still) image.src = still.source
    time.textContent = clock(now)
    over.replaceChildren(...drawn(still && Math.abs(still.at - moment.at) < 0.05 ? (moment.boxes ?? []) : []))
    said.replaceChildren(...words(film, moment, now))
    const lane = lanes.querySelector(".axis")
    needle.hidden = false
    needle.style.left = `${lane.offsetLeft + (film.seconds > 0 ? now / film.seconds : 0) * lane.offsetWidth}px`
  }
  const atOf = (event) => {
    const { left, width } = lanes.querySelector(".axis").getBoundingClientRect()
    return ((event.clientX - left) / width) * film.seconds
  }
  const stop = () => {
    clearInterval(playing)
    playing = null
    button.textContent = "play"
  }
  lanes.addEventListener("pointermove", (event) => {
    if (playing === null) show(atOf(event))
  })
  lanes.addEventListener("pointerdown", (event) => {
    stop()
    show(atOf(event))
  })
  lanes.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    stop()
    const index = film.moments.findLastIndex((each) => each.at <= now + 1e-6)
    show((film.moments[Math.max(0, index + step)] ?? film.moments.at(-1)).at)
  })
  button.hidden = false
  button.addEventListener("click", () => {
    if (playing !== null) return stop()
    button.textContent = "stop"
    if (now >= film.moments.at(-1).at) now = 0
    playing = setInterval(() => {
      const next = film.moments.find((each) => each.at > now + 1e-6)
      if (next) show(next.at)
      else stop()
    }, PLAY_EVERY)
  })
  addEventListener("resize", () => show(now))
  show(film.start)
}

function clock(seconds) {
  const whole = Math.floor(seconds)
  const tenths = Math.floor((seconds - whole) * 10 + 1e-6)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}.${tenths}`
}

function drawn(boxes) {
  const shown = boxes.filter((box) => box.counts || box.score >= FAINT_FROM)
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("class", "boxes")
  svg.setAttribute("viewBox", "0 0 1 1")
  svg.setAttribute("preserveAspectRatio", "none")
  const tags = []
  for (const { label, score, counts, thing, left, top, right, bottom } of shown) {
    const frame = document.createElementNS(SVG, "rect")
    frame.setAttribute("class", counts ? label : `${thing ? "thing" : label} faint`)
    const edges = { x: left, y: top, width: right - left, height: bottom - top }
    for (const [name, value] of Object.entries(edges)) frame.setAttribute(name, value)
    svg.append(frame)
    if (!counts) continue
    const tag = document.createElement("span")
    tag.className = `tag ${label}`
    tag.style.left = `${left * 100}%`
    tag.style.top = `${top * 100}%`
    tag.textContent = `${label} ${Math.round(score * 100)}`
    tags.push(tag)
  }
  return [svg, ...tags]
}

function words(film, moment, now) {
  const { motion, boxes, medians, milliseconds } = moment
  const inside = (each) => each.start <= now && now <= each.end
  const event = film.events.find(inside)
  const truth = film.truth?.find(inside)
  const verdict = film.verdicts.findLast((each) => each.woken <= now && now <= each.at + 1)
  const seen = boxes?.filter((box) => box.counts || box.score >= FAINT_FROM)
  return [
    ["motion", `${motion.kind}, ${(motion.changed * 100).toFixed(motion.changed < 0.1 ? 1 : 0)} % changed`],
    [
      "detector",
      boxes === null
        ? "not asked"
        : `${seen.map(inWords).join(", ") || "nothing"}, ${milliseconds.toFixed(0)} ms`,
    ],
    ["vote", medians === null ? "none" : votes(medians)],
    [
      "verdict",
      verdict
        ? `${verdict.keep ? "keep" : "drop"}${verdict.label ? `: ${verdict.label}` : ""}, by ${verdict.by}`
        : "none",
    ],
    ["camera", event ? (event.label ?? "something that moves") : "nothing"],
    ...(film.truth ? [["truth", truth ? truth.label : "nothing"]] : []),
  ].flatMap(([name, value]) => {
    const [term, definition] = [document.createElement("dt"), document.createElement("dd")]
    term.textContent = name
    definition.textContent = value
    return [term, definition]
  })
}

function inWords({ label, score, counts, thing }) {
  return `${thing ? "some thing" : label} ${Math.round(score * 100)}${counts ? "" : " (does not count)"}`
}

function votes(medians) {
  const said = Object.entries(medians).filter(([, score]) => score > 0)
  return said.map(([label, score]) => `${label} ${Math.round(score * 100)}`).join(", ") || "nothing so far"
}
