import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { parseBatch } from "../../../hardware/flash/batch.ts"
import { withCountry, withOverlays, withoutWizard } from "../../../hardware/flash/boot-config.ts"
import {
  checkSettings,
  parseHostname,
  parseLabel,
  parseSerial,
  parseSshKeys,
  parseTimezone,
  parseUser,
} from "../../../hardware/flash/card.ts"
import { parseWifi } from "../../../hardware/flash/wifi.ts"
import { mutant } from "../../mutants.ts"

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

  /** Whatever is wrong with it or beside it; a password is long and odd enough to be found, not by chance. */
  function passwordsInErrors(parse: typeof parseWifi): readonly string[] {
    const found: string[] = []
    const password = fc
      .tuple(fc.string({ maxLength: 70 }), fc.constantFrom("", "é", "\n", "x".repeat(60)))
      .map((parts) => parts.join("Xq7+zW"))
    const country = fc.constantFrom("DE", "UK", undefined)
    fc.assert(
      fc.property(password, fc.string(), country, fc.boolean(), (password, ssid, country, wpa3) => {
        try {
          parse({ ssid, password, country, wpa3 })
        } catch (error) {
          expect(isFault(error, "usage")).toBe(true)
          if (String(error).includes("Xq7+zW")) found.push(password)
        }
      }),
    )
    return found
  }

  test("never has its password in an error", () => {
    expect(passwordsInErrors(parseWifi)).toEqual([])
  })

  test("would be seen to have it there", async () => {
    const path = "hardware/flash/wifi.ts"
    const from = '"Wi-Fi: a password has 8 to 63 letters, digits, spaces and signs of ASCII"'
    const to = '"Wi-Fi: wrong password " + password'
    const careless = await mutant<{ parseWifi: typeof parseWifi }>(path, { path, from, to })
    expect(passwordsInErrors(careless.parseWifi)).not.toEqual([])
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

  test("drives a servo on each pin that settings let one be on", () => {
    const overlay = (shutter: number) => withOverlays("", { ...pins, shutter }).split("\n")[2]
    expect([12, 13, 18, 19].map(overlay)).toEqual([
      "dtoverlay=pwm,pin=12,func=4",
      "dtoverlay=pwm,pin=13,func=4",
      "dtoverlay=pwm,pin=18,func=2",
      "dtoverlay=pwm,pin=19,func=2",
    ])
  })

  test("asks nobody at the keyboard for a user, once, on the kernel's one line", () => {
    const once = withoutWizard("console=tty1 rootwait\n")
    expect(once).toBe("console=tty1 rootwait systemd.mask=userconfig.service\n")
    expect(withoutWizard(once)).toBe(once)
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
