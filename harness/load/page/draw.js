/** Runs in the report's page: draws its charts over one time axis, with the faults that struck behind them. */
;(() => {
  const data = JSON.parse(document.getElementById("data").textContent)
  const root = document.documentElement
  const HEIGHT = 132
  const PRINTED_WIDTH = 680
  /** Steps of the time axis that people think in, in seconds. */
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400]
  const plots = []
  let colours = {}
  let range = [0, data.until]

  function readColours() {
    const style = getComputedStyle(root)
    const value = (name) => style.getPropertyValue(`--${name}`).trim()
    const names = [
      "blue",
      "slate",
      "teal",
      "amber",
      "violet",
      "rose",
      "quiet",
      "line",
      "bad",
      "paper",
      "gutter",
      "edge",
    ]
    colours = Object.fromEntries(names.map((name) => [name, value(name)]))
    Object.assign(colours, { network: colours.violet, cloud: colours.amber })
    Object.assign(colours, { camera: colours.teal, stranger: colours.rose })
  }

  function short(value) {
    if (value === null || value === undefined) return ""
    return Number(value.toPrecision(3)).toLocaleString("en-US", {
      notation: value >= 100_000 ? "compact" : "standard",
      maximumFractionDigits: 4,
    })
  }

  /** 45 s, 2:30 min, 3:05 h: as exact as the run is long. */
  function clock(at) {
    const two = (part) => String(Math.floor(part)).padStart(2, "0")
    if (data.until < 180) return `${Number(at.toFixed(1))} s`
    if (data.until < 7200) return `${Math.floor(at / 60)}:${two(at % 60)} min`
    return `${Math.floor(at / 3600)}:${two((at / 60) % 60)} h`
  }

  /** What the lines reach: a stack's are sums of those below. */
  function columnsOf(chart) {
    const columns = chart.lines.map(({ values }) => values)
    if (chart.kind === "log")
      return columns.map((each) => each.map((v) => (v === null ? null : Math.max(v, 0.1))))
    if (chart.kind !== "stack") return columns
    const sums = data.at.map(() => 0)
    const stacked = [...columns].reverse().map((each) =>
      each.map((value, i) => {
        sums[i] += value ?? 0
        return value === null ? null : sums[i]
      }),
    )
    return stacked.reverse()
  }

  /** A point between two gaps has no line to show it. */
  function lonely(plot, index) {
    const values = plot.data[index]
    return values.flatMap((value, i) =>
      value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? [i] : [],
    )
  }

  function strikeBands({ ctx, bbox, valToPos }) {
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
    ctx.clip()
    for (const { from, to, tone } of data.faults) {
      const left = valToPos(from, "x", true)
      const width = valToPos(to, "x", true) - left
      ctx.fillStyle = colours[tone]
      ctx.globalAlpha = to > from ? 0.13 : 0.6
      ctx.fillRect(left, bbox.top, Math.max(to > from ? 2 : devicePixelRatio, width), bbox.height)
    }
    ctx.restore()
  }

  function levelLines(plot, marks) {
    const { ctx, bbox } = plot
    const { min, max } = plot.scales.y
    for (const { value, label } of marks) {
      if (value < min || value > max) continue
      const y = plot.valToPos(value, "y", true)
      ctx.save()
      ctx.strokeStyle = ctx.fillStyle = colours.bad
      ctx.lineWidth = devicePixelRatio
      ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio])
      ctx.beginPath()
      ctx.moveTo(bbox.left, y)
      ctx.lineTo(bbox.left + bbox.width, y)
      ctx.stroke()
      ctx.font = `${11 * devicePixelRatio}px system-ui,sans-serif`
      const above = y - bbox.top > 16 * devicePixelRatio
      const left = bbox.left + 4 * devicePixelRatio
      const top = above ? y - 15 * devicePixelRatio : y + devicePixelRatio
      ctx.fillStyle = colours.paper
      ctx.globalAlpha = 0.8
      ctx.fillRect(left - 2, top, ctx.measureText(label).width + 4, 14 * devicePixelRatio)
      ctx.globalAlpha = 1
      ctx.fillStyle = colours.bad
      ctx.textAlign = "left"
      ctx.textBaseline = "middle"
      ctx.fillText(label, left, top + 7 * devicePixelRatio)
      ctx.restore()
    }
  }

  /** Nobody has zoomed: from the first camera's start, which is before anything was measured. */
  function wholeOrZoomed(_plot, min, max) {
    const whole = min === null || (min <= data.at[0] && max >= data.at.at(-1))
    return whole ? [0, data.until] : [Math.max(0, min), Math.min(data.until, max)]
  }

  function scaleOf(chart) {
    if (chart.kind === "log") {
      const decades = (_plot, min, max) => {
        const seen = [min, max, ...chart.marks.map(({ value }) => value)].filter((value) => value > 0)
        const low = Math.floor(Math.log10(Math.min(...seen, 1)) + 1e-9)
        return [10 ** low, 10 ** Math.max(low + 1, Math.ceil(Math.log10(Math.max(...seen)) - 1e-9))]
      }
      return { distr: 3, log: 10, range: decades }
    }
    const fromZero = (_plot, _min, max) => [0, Math.max(chart.top ?? 0, max ?? 0) * 1.06 || 1]
    return { range: fromZero }
  }

  function decadesOf(_plot, _axis, min, max) {
    const all = []
    for (let at = Math.round(Math.log10(min)); at <= Math.round(Math.log10(max)); at++) all.push(10 ** at)
    const every = Math.ceil(all.length / 5)
    return all.filter((_, i) => i % every === 0)
  }

  function optionsFor(chart, width) {
    const axis = { stroke: colours.quiet, font: "11px system-ui,sans-serif", ticks: { show: false } }
    const grid = { stroke: colours.line, width: 1 }
    const gutter = Number.parseFloat(colours.gutter)
    const yAxis = { ...axis, grid, size: gutter, gap: 6, space: 26 }
    const stacked = chart.kind === "stack"
    const fill = (colour) => (chart.kind === "area" ? `${colour}30` : stacked ? `${colour}b0` : undefined)
    return {
      width,
      height: HEIGHT,
      padding: [6, Number.parseFloat(colours.edge), 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "run" }, y: false, points: { size: 6 }, drag: { x: true, y: false } },
      scales: { x: { time: false, range: wholeOrZoomed }, y: scaleOf(chart) },
      axes: [
        {
          ...axis,
          grid,
          size: 20,
          gap: 3,
          space: 64,
          incrs: STEPS,
          values: (_plot, ticks) => ticks.map(clock),
        },
        {
          ...yAxis,
          values: (_plot, ticks) => ticks.map(short),
          ...(chart.kind === "log" ? { splits: decadesOf, filter: (_plot, ticks) => ticks } : {}),
        },
      ],
      series: [
        {},
        ...chart.lines.map(({ colour, dashed }, i) => ({
          stroke: colours[colour],
          width: stacked ? 1 : 1.6,
          dash: dashed ? [5, 3] : undefined,
          fill: stacked && i + 1 < chart.lines.length ? undefined : fill(colours[colour]),
          points: { show: true, size: 7, width: 0, fill: colours[colour], filter: lonely },
        })),
      ],
      bands: stacked ? bandsOf(chart, fill) : [],
      hooks: {
        drawClear: [strikeBands],
        draw: [(plot) => levelLines(plot, chart.marks)],
        setCursor: [(plot) => tell(plot, chart)],
        setScale: [(plot, key) => key === "x" && follow(plot.scales.x)],
      },
    }
  }

  /** Each part down to the one below it; the lowest down to zero. */
  function bandsOf(chart, fill) {
    return chart.lines.flatMap(({ colour }, i) =>
      i + 1 < chart.lines.length ? [{ series: [i + 1, i + 2], fill: fill(colours[colour]) }] : [],
    )
  }

  /** What the lines say where the pointer is. */
  function tell(plot, chart) {
    const { idx } = plot.cursor
    const figure = plot.root.closest("figure")
    const cells = figure.querySelectorAll(".key i")
    chart.lines.forEach(({ values }, i) => {
      cells[i].textContent = idx === null || idx === undefined ? "" : short(values[idx]) || "–"
    })
    const at = idx === null || idx === undefined ? null : data.at[idx]
    document.getElementById("now").textContent = at === null ? "" : `at ${clock(at)}`
    const line = document.querySelector("#lane .now")
    const share = at === null ? -1 : (at - range[0]) / (range[1] - range[0])
    line.hidden = share < 0 || share > 1
    line.style.left = `${100 * share}%`
  }

  /** Every chart and the faults show the same seconds. */
  function follow({ min, max }) {
    if (min === undefined || min === null || (min === range[0] && max === range[1])) return
    range = [min, max]
    for (const plot of plots) plot.setScale("x", { min, max })
    for (const strike of document.querySelectorAll("#lane .strike")) {
      const share = (at) => (Math.min(max, Math.max(min, at)) - min) / (max - min)
      const from = Number(strike.dataset.from)
      const to = Number(strike.dataset.to)
      strike.classList.toggle("off", from > max || to < min)
      strike.classList.toggle("before", share(from) > 0.66)
      strike.classList.toggle("after", share(from) <= 0.66)
      strike.style.left = `${100 * share(from)}%`
      strike.style.width = `${100 * (share(to) - share(from))}%`
    }
  }

  function draw(width) {
    const [min, max] = range
    for (const plot of plots.splice(0)) plot.destroy()
    readColours()
    range = [0, data.until]
    for (const figure of document.querySelectorAll("figure[data-chart]")) {
      const chart = data.charts[Number(figure.dataset.chart)]
      const holder = figure.querySelector(".plot")
      const options = optionsFor(chart, width ?? holder.clientWidth)
      plots.push(new uPlot(options, [data.at, ...columnsOf(chart)], holder))
    }
    if (plots.length > 0) follow({ min, max })
  }

  function copy({ currentTarget: button }) {
    const said = (word) => {
      button.textContent = word
      setTimeout(() => (button.textContent = "copy"), 1_500)
    }
    const byHand = () => {
      const area = document.createElement("textarea")
      area.value = button.dataset.text
      document.body.append(area)
      area.select()
      const done = document.execCommand("copy")
      area.remove()
      said(done ? "copied" : "select it by hand")
    }
    if (!navigator.clipboard) return byHand()
    navigator.clipboard.writeText(button.dataset.text).then(() => said("copied"), byHand)
  }

  document.getElementById("copy").addEventListener("click", copy)
  let width = innerWidth
  addEventListener("resize", () => {
    if (innerWidth === width) return
    width = innerWidth
    draw()
  })
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw())
  addEventListener("beforeprint", () => {
    root.classList.add("printing")
    draw(PRINTED_WIDTH)
  })
  addEventListener("afterprint", () => {
    root.classList.remove("printing")
    draw()
  })
  draw()
})()
