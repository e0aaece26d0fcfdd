import { spawnSync } from "node:child_process"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { junitOf } from "../../../harness/load/junit.ts"
import { type Report, reportShape } from "../../../harness/load/report.ts"
import { anyText } from "../../any-text.ts"
import { mutant } from "../../mutants.ts"
import { judge } from "../../support.ts"
import { REPORT } from "./readings.ts"

const FAILED: Report = {
  ...REPORT,
  exitCode: 1,
  command: `npm start -- --scene 'a & b <"c">.mp4'`,
  invariants: [
    { name: "clips lost", count: 3, limit: 0, detail: "counted" },
    { name: "clips doubled", count: 0, limit: 0, detail: "" },
    { name: "complaints of cameras", count: 2, limit: 5, detail: "" },
  ],
  thresholds: [
    { metric: "receipt_latency", expr: "p(95)<500", value: 612.5, pass: false },
    { metric: "alert_latency", expr: "max<=9", value: null, pass: false },
    { metric: "clips_lost", expr: "count==0", value: 0, pass: true },
  ],
}

/** What XML 1.0 cannot hold, what it can but must be escaped, and what a reader would change. */
const NASTY = `<a b='c' d="e">&amp;]]></a>\u0000\u0007\u001b[31m\u007f\u0085\ud800\ufffe\uffff\t\r\n é 😀 --> <![CDATA[`
const NASTY_KEPT = `<a b='c' d="e">&amp;]]></a>[31m\t\r\n é 😀 --> <![CDATA[`

function nastyReport(text: string): Report {
  return {
    ...FAILED,
    scenario: `s${text}`,
    commit: `c${text}`,
    command: `n${text}`,
    invariants: [{ name: `i${text}`, count: 1, limit: 0, detail: text }],
    thresholds: [{ metric: `m${text}`, expr: `e${text}`, value: null, pass: false }],
  }
}

interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Element[]
  text: string
}

describe("junit.xml", () => {
  test("has a case for each threshold and each invariant, and a failure for each that did not hold", () => {
    const [invariants, thresholds] = readXml(junitOf(FAILED)).children
    expect(invariants?.attributes).toMatchObject({ name: "obscura.invariants", tests: "3", failures: "1" })
    expect(thresholds?.attributes).toMatchObject({ name: "obscura.thresholds", tests: "3", failures: "2" })
    const messages = [invariants, thresholds].flatMap((suite) =>
      casesOf(suite).map(({ attributes, children }) => [
        attributes.name,
        children[0]?.attributes.message ?? null,
      ]),
    )
    expect(messages).toEqual([
      ["clips lost", "3 clips lost, at most 0 (counted)"],
      ["clips doubled", null],
      ["complaints of cameras", null],
      ["receipt_latency: p(95)<500", "receipt_latency: p(95)<500 did not hold: it came to 612.5 ms"],
      ["alert_latency: max<=9", "alert_latency: max<=9 did not hold: it never fired"],
      ["clips_lost: count==0", null],
    ])
  })

  test("says in each suite which run it was, and in each failure how to repeat it", () => {
    for (const suite of readXml(junitOf(FAILED)).children) {
      const properties = suite.children.find(({ name }) => name === "properties")?.children ?? []
      expect(
        Object.fromEntries(properties.map(({ attributes: { name, value } }) => [name, value])),
      ).toMatchObject({ seed: "42", commit: "0123abc", command: FAILED.command })
      const failures = casesOf(suite).flatMap(({ children }) => children)
      for (const failure of failures)
        expect(failure.text).toContain(`seed 42 · commit 0123abc · ${FAILED.command}`)
      expect(failures.length).toBeGreaterThan(0)
    }
  })

  test("tells what can be told of any text, and leaves out what XML cannot hold", () => {
    const report = nastyReport(NASTY)
    expect(reportShape.safeParse(report).success).toBe(true)
    const [invariants] = readXml(junitOf(report)).children
    const [broken] = casesOf(invariants)
    expect(broken?.attributes.name).toBe(`i${NASTY_KEPT}`)
    expect(broken?.children[0]?.text).toContain(NASTY_KEPT)
  })

  test("is well-formed whatever is in a report", () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(readXml(junitOf(nastyReport(text))).children).toHaveLength(2)
      }),
    )
  })

  test("that forgets one escape is caught", async () => {
    const wrong = await mutant<typeof import("../../../harness/load/junit.ts")>("harness/load/junit.ts", {
      path: "harness/load/junit.ts",
      from: '"<": "&lt;"',
      to: '"<": "<"',
    })
    expect(() => readXml(wrong.junitOf(nastyReport(NASTY)))).toThrow()
  })

  const xmllint = judge("xmllint")
  test.skipIf(xmllint === null)("is read by libxml2, which counts what we count", () => {
    expect(counted(junitOf(FAILED))).toEqual({ cases: "6", failures: "3", properties: "10" })
    expect(counted(junitOf(nastyReport(NASTY)))).toEqual({ cases: "2", failures: "2", properties: "10" })
    const everything = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join("")
    expect(counted(junitOf(nastyReport(everything))).cases).toBe("2")
    expect(() => counted(junitOf(FAILED).replace("&amp;", "&"))).toThrow(/xmllint/)
  })
})

function casesOf(suite: Element | undefined): readonly Element[] {
  return suite?.children.filter(({ name }) => name === "testcase") ?? []
}

function counted(xml: string): Readonly<Record<string, string>> {
  const count = (path: string) => {
    const { status, stdout, stderr } = spawnSync("xmllint", ["--nonet", "--xpath", `count(${path})`, "-"], {
      input: xml,
      encoding: "utf8",
    })
    if (status !== 0) throw new Error(`xmllint: ${stderr}`)
    return stdout.trim()
  }
  return {
    cases: count("/testsuites/testsuite/testcase"),
    failures: count("/testsuites/testsuite/testcase/failure[@message and @type]"),
    properties: count("/testsuites/testsuite/properties/property[@name and @value]"),
  }
}

/** The part of XML 1.0 that a report may use, and nothing of it let pass: no comment, CDATA, DTD or raw character. */
function readXml(xml: string): Element {
  const declared = '<?xml version="1.0" encoding="UTF-8"?>\n'
  if (!xml.startsWith(declared)) throw new Error("no declaration")
  if (/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(xml))
    throw new Error("not a Char")
  const root: Element = { name: "", attributes: {}, children: [], text: "" }
  const open = [root]
  const token = /<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>|([^<>]+)/gy
  token.lastIndex = declared.length
  for (;;) {
    const start = token.lastIndex
    const match = token.exec(xml)
    if (match === null) {
      if (start === xml.length) break
      throw new Error(`not well-formed: ${xml.slice(start, start + 80)}`)
    }
    const [, closing, name = "", attributes = "", empty, text] = match
    const here = open.at(-1)
    if (here === undefined) throw new Error("text after the end")
    if (text !== undefined) {
      here.text += unescaped(text)
    } else if (closing) {
      if (here.name !== name || open.length === 1) throw new Error(`${name} closes ${here.name}`)
      open.pop()
    } else {
      const element = { name, attributes: attributesOf(attributes), children: [], text: "" }
      here.children.push(element)
      if (!empty) open.push(element)
    }
  }
  const [first, second] = root.children
  if (open.length !== 1 || first === undefined || second !== undefined) throw new Error("not one root")
  return first
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(
    ([, name = "", value = ""]) => [name, value] as const,
  )
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length) throw new Error("an attribute twice")
  // Attribute-value normalization, XML 1.0 §3.3.3: raw white space becomes spaces, references stay.
  return Object.fromEntries(pairs.map(([name, value]) => [name, unescaped(value.replace(/[\t\n\r]/g, " "))]))
}

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|([a-z]+));|&/g, (all, code?: string, name?: string) => {
    const found = code === undefined ? NAMED[name ?? ""] : String.fromCodePoint(Number(code))
    if (found === undefined) throw new Error(`no entity: ${all}`)
    return found
  })
}
