import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { parseBatch } from "../../../hardware/flash/batch.ts"
import { withCountry, withOverlays } from "../../../hardware/flash/boot-config.ts"
import {
  checkSettings,
  parseHostname,
  parseLabel,
  parseSerial,
  parseSshKeys,
  parseTimezone,
  parseUser,
} from "../../../hardware/flash/card.ts"
import { mergeCloudConfig, parseCloudConfig } from "../../../hardware/flash/user-cloud-config.ts"
import { parseWifi } from "../../../hardware/flash/wifi.ts"

const usage = (message: string) =>
  expect.objectContaining({ kind: "usage", message: expect.stringContaining(message) })

describe("the Wi-Fi", () => {
  test.each([
    // IEEE 802.11-2020 annex J.4.2, test vectors of the passphrase-to-PSK mapping
    ["IEEE", "password", "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"],
    ["ThisIsASSID", "ThisIsAPassword", "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af"],
    ["Z".repeat(32), "a".repeat(32), "becb93866bb8c3832cb777c2f559807c8c59afcb6eae734885001300a981cc62"],
  ])("%s gets the standard's key instead of its password", (ssid, password, key) => {
    expect(parseWifi({ ssid, password, country: "de" })).toMatchObject({
      secret: key,
      security: "wpa2",
      country: "DE",
    })
  })

  test("that speaks WPA3 alone keeps its password, for SAE needs it", () => {
    const wifi = parseWifi({ ssid: "n", password: "12345678", country: "NO", wpa3: true })
    expect(wifi).toMatchObject({ security: "wpa3", secret: "12345678" })
  })

  test.each([
    [{ country: undefined }, "the country is missing"],
    [{ country: "" }, "no country has the code"],
    [{ country: "D" }, "no country has the code"],
    [{ country: "DEU" }, "no country has the code"],
    [{ country: "QQ" }, "no country has the code"],
    [{ country: "EU" }, "no country has the code"],
    [{ country: "UK" }, "the country's code is GB, not UK"],
    [{ ssid: "" }, "1 to 32 bytes; this has 0"],
    [{ ssid: "ü".repeat(17) }, "1 to 32 bytes; this has 34"],
    [{ ssid: "a\nb" }, "control characters"],
    [{ password: "1234567" }, "8 to 63"],
    [{ password: "x".repeat(65) }, "8 to 63"],
    [{ password: "pässword1" }, "8 to 63"],
    [{ password: "a".repeat(64), wpa3: true }, "WPA3 needs the password"],
  ])("as of %o is refused in one line", (wrong, message) => {
    const right = { ssid: "Household", password: "right password", country: "DE" }
    expect(() => parseWifi({ ...right, ...wrong })).toThrow(usage(message))
  })

  test("never has its password in an error", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4 }), fc.string(), fc.boolean(), (password, ssid, wpa3) => {
        try {
          parseWifi({ ssid, password, country: "DE", wpa3 })
        } catch (error) {
          return (
            isFault(error, "usage") &&
            (/^[ -~]{0,3}$/.test(password) || !error.message.includes(` ${password} `))
          )
        }
        return true
      }),
    )
  })
})

describe("a card's words", () => {
  test.each([
    [parseHostname, "-camera"],
    [parseHostname, "camera.local"],
    [parseHostname, "x".repeat(64)],
    [parseHostname, "cam era"],
    [parseTimezone, "Berlin"],
    [parseTimezone, "../../etc/passwd"],
    [parseTimezone, "+01:00"],
    [parseTimezone, ""],
    [parseUser, "root"],
    [parseUser, "Pi"],
    [parseUser, "a:b"],
    [parseSerial, "../x"],
    [parseSerial, ""],
    [parseSerial, ".."],
    [parseLabel, "a\nb"],
    [parseLabel, "<x>".repeat(30)],
  ])("are refused by %o: %o", (parse, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ kind: "usage" }))
  })

  test.each([
    ["-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "this is a private key, and stays where it is"],
    ["", "holds no SSH public key"],
    ["# a comment\n\n", "holds no SSH public key"],
    [`ssh-ed25519 ${"A".repeat(68)} me\nssh-dss ${"A".repeat(68)}`, "id:2: this is no SSH public key"],
    ["ssh-ed25519 tooshort", "id:1: this is no SSH public key"],
    [`command="rm" ssh-ed25519 ${"A".repeat(68)}`, "id:1: this is no SSH public key"],
  ])("refuse as SSH keys %o", (text, message) => {
    expect(() => parseSshKeys(text, "id")).toThrow(usage(message))
  })

  test("take SSH keys as OpenSSH writes them", () => {
    const key = `ssh-ed25519 ${"A".repeat(68)} me@home`
    expect(parseSshKeys(`# mine\n${key}\r\n`, "id")).toEqual([key])
  })

  test.each([
    ["{", null, "s.json: this is no JSON"],
    ["[]", null, "s.json: settings are a JSON object"],
    ['{"camra":{}}', null, "s.json: settings"],
    ['{"camera":{"seal":false}}', null, "s.json: configuration"],
    ['{"camera":{"pins":{"motion":4,"bell":4}}}', null, "both GPIO 4"],
    ['{"broker":"mqtts://a"}', "mqtts://b", "name two"],
    ['{"broker":"http://a"}', null, "it looks like mqtts://host:8883"],
    ['{"lens":{"rotationDegrees":90}}', null, "s.json: lens.rotationDegrees"],
    ['{"camera":{"lens":{"width":4096,"height":2160}}}', null, "more than"],
    [null, "mqtt://cloud.example", "plain mqtt:// is for this machine alone"],
  ])("refuse as settings %o with --broker %o", (text, broker, message) => {
    expect(() => checkSettings(text, "s.json", broker)).toThrow(usage(message))
  })
})

describe("a batch", () => {
  test("is a CSV with quotes, other line ends and other orders of columns", () => {
    const text = '\uFEFFLabel, serial,hostname\r\n"Front ""door"", left",A1,cam-1\r\n\r\n,A2,\r\n'
    expect(parseBatch(text, "b.csv")).toEqual([
      { serial: "A1", hostname: "cam-1", label: 'Front "door", left' },
      { serial: "A2", hostname: null, label: null },
    ])
  })

  test.each([
    ["", "b.csv: is empty"],
    ["serial", "b.csv: names no card"],
    ["hostname\ncam", "b.csv:1: the columns are"],
    ["serial,serial\na,b", "b.csv:1: the columns are"],
    ["serial,wifi\na,b", "b.csv:1: the columns are"],
    ["serial,hostname\na", "b.csv:2: 1 fields where the first line has 2"],
    ["serial\na\nb\nA", "b.csv:4: serial a is in line 2 too"],
    ["serial,hostname\na,cam\nb,CAM", "b.csv:3: host name cam is in line 2 too"],
    ['serial,label\na,"x\ny"\nb,"', "b.csv:4: a quote is where none can be"],
    ["serial\n../../etc", "b.csv:2: serial"],
    ["serial,hostname\na,b_c", "b.csv:2: host name"],
    ['serial,label\na,"one\ntwo"', "b.csv:2: label"],
  ])("as of %o is refused with its line", (text, message) => {
    expect(() => parseBatch(text, "b.csv")).toThrow(usage(message))
  })

  test("of any bytes ends in rows or one line", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("serial", ",", '"', "\n", "\r", "a", "ß") }), (text) => {
        try {
          return parseBatch(text, "b.csv").length > 0
        } catch (error) {
          return isFault(error, "usage") && !error.message.includes("\n")
        }
      }),
    )
  })
})

describe("the user's cloud-config", () => {
  const merged = (text: string, ours: Record<string, unknown> = {}) =>
    mergeCloudConfig(
      ours,
      parseCloudConfig(text, "my.yaml"),
      "my.yaml",
      new Map([["hostname", "--hostname"]]),
    )

  test("is merged: maps key by key, lists one after the other, and the user's value where nobody asked for ours", () => {
    const ours = { hostname: "cam", ssh_pwauth: false, runcmd: [["a"]], apt: { conf: "x", preserve: true } }
    const text =
      "#cloud-config\nssh_pwauth: true\nruncmd:\n  - b\napt: {conf: y}\nhostname: cam\npackages: [vim]\n"
    expect(merged(text, ours)).toEqual({
      hostname: "cam",
      ssh_pwauth: true,
      runcmd: [["a"], "b"],
      apt: { conf: "y", preserve: true },
      packages: ["vim"],
    })
  })

  test("means what cloud-init's own reader makes of it: YAML 1.1, with its octal numbers and its words for true", () => {
    expect(
      parseCloudConfig("#cloud-config\npermissions: 0644\nssh_pwauth: yes\nanswer: y\n", "my.yaml"),
    ).toEqual({
      permissions: 0o644,
      ssh_pwauth: true,
      answer: "y",
    })
  })

  test("may hold nothing", () => {
    expect(merged("#cloud-config\n", { a: 1 })).toEqual({ a: 1 })
  })

  test.each([
    ["packages: [vim]\n", "my.yaml:1: a cloud-config begins with"],
    ["#!/bin/sh\necho\n", "my.yaml:1: a cloud-config begins with"],
    ["#cloud-config\npackages: [vim\n", "my.yaml:3:"],
    ["#cloud-config\na: 1\na: 2\n", "my.yaml:3:"],
    ["#cloud-config\na:\n\tb: 1\n", "my.yaml:3:"],
    ["#cloud-config\n- a\n", "a cloud-config is a map"],
    ["#cloud-config\na: *nowhere\n", "my.yaml"],
    ["#cloud-config\nruncmd: echo\n", "runcmd: a list is wanted"],
    ["#cloud-config\napt: [x]\n", "apt: a map is wanted"],
    ["#cloud-config\nhostname: other\n", "hostname: --hostname and my.yaml say different things"],
    ["#cloud-config\nx: 1\nnetwork: {version: 2}\n", "my.yaml:3: cloud-init takes no network from here"],
    ["#cloud-config\nwrite_files:\n  - path: /a\n", "write_files: /a is written twice"],
    [
      `#cloud-config\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(30)}]\nc: [${"*b,".repeat(30)}]\n`,
      "my.yaml",
    ],
  ])("as of %o is refused, with its line where it has one", (text, message) => {
    const ours = { hostname: "cam", runcmd: [["a"]], apt: { conf: "x" }, write_files: [{ path: "/a" }] }
    expect(() => merged(text, ours)).toThrow(usage(message))
  })

  test("does not show its words in an error, for they may be secret", () => {
    for (const text of [
      '#cloud-config\nchpasswd: "hunter2" hunter2\n',
      "#cloud-config\npw: hunter2: hunter2\n",
    ])
      expect(() => parseCloudConfig(text, "my.yaml")).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
      )
  })
})

describe("the Pi's own configuration", () => {
  const pins = { motion: 17, bell: 27, light: 22 }

  test("gets what the pins need, once, for every Pi, and loses it again", () => {
    const before = "[pi4]\narm_boost=1"
    const once = withOverlays(before, { ...pins, shutter: 18 })
    expect(once).toBe(`${before}\n# obscura: begin\n[all]\ndtoverlay=pwm,pin=18,func=2\n# obscura: end\n`)
    expect(withOverlays(once, { ...pins, shutter: 18 })).toBe(once)
    expect(withOverlays(once, { ...pins, shutter: 13 })).toContain("pin=13,func=4")
    expect(withOverlays(once, pins)).toBe(`${before}\n`)
    expect(withOverlays(before, pins)).toBe(before)
  })

  test("is refused for a shutter on a pin that the kernel drives no servo on", () => {
    expect(() => withOverlays("", { ...pins, shutter: 4 })).toThrow(usage("GPIO 4 has no PWM for a servo"))
  })

  test("tells the radio its country, once, on the kernel's one line", () => {
    const once = withCountry("console=tty1 root=PARTUUID=1 rootwait\n", "NO")
    expect(once).toBe("console=tty1 root=PARTUUID=1 rootwait cfg80211.ieee80211_regdom=NO\n")
    expect(withCountry(once, "DE")).toBe(
      "console=tty1 root=PARTUUID=1 rootwait cfg80211.ieee80211_regdom=DE\n",
    )
    expect(withCountry(once, null)).toBe(once)
  })
})
