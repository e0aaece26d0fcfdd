import type { Mistake } from "../mistake.ts"

const PRIVACY = "firmware/control/privacy.ts"

export const privacyMode: readonly Mistake[] = [
  {
    id: "keeps-looking",
    check: "camera-rests",
    says: "the camera says that it rests, and its lens runs on",
    patches: [{ path: PRIVACY, from: "if (this.#rest) {", to: "if (this.#on === null) {" }],
  },
  {
    id: "viewers-still-ask",
    check: "camera-rests",
    says: "nothing is recorded, and looking on goes on",
    patches: [
      {
        path: "firmware/live/live-view.ts",
        from: 'if (this.#parts.privacy.on) return "privacy mode"',
        to: "",
      },
    ],
  },
  {
    id: "keeps-its-ring",
    check: "camera-rests",
    says: "the seconds before privacy mode are shown after it",
    patches: [{ path: PRIVACY, from: "ring.clear()", to: "" }],
  },
  {
    id: "forgets-to-rest",
    check: "rest-outlives-power",
    says: "a power cut ends privacy mode",
    patches: [
      {
        path: PRIVACY,
        from: "await disk.private.put(NAME, [toJson({ version: 1, on: true })])",
        to: "",
      },
    ],
  },
  {
    id: "peeps-at-boot",
    check: "rest-outlives-power",
    says: "the shutter opens for a moment at each boot",
    patches: [
      {
        path: "firmware/camera.ts",
        from: "wirePins(outside, config, privacy.on)",
        to: "wirePins(outside, config)",
      },
    ],
  },
  {
    id: "left-from-afar",
    check: "left-at-the-camera",
    says: "whoever has the owner's key, anywhere, switches the camera on again",
    patches: [
      {
        path: PRIVACY,
        from: "if (this.#press === null || clock.monotonic() >= this.#press.until || asked.press !== this.#press.nonce)",
        to: "if (clock.monotonic() < 0)",
      },
    ],
  },
  {
    id: "left-by-a-visitor",
    check: "left-at-the-camera",
    says: "a visitor who rings the bell switches the camera on again",
    patches: [
      {
        path: PRIVACY,
        from: "      beats.hurry()\n    }\n",
        to: "      await this.#leave()\n    }\n",
      },
    ],
  },
  {
    id: "enters-by-an-old-word",
    check: "left-at-the-camera",
    says: "a cloud that kept an order blinds the camera when it likes",
    patches: [{ path: PRIVACY, from: "beats.forget()\n", to: "\n" }],
  },
]
