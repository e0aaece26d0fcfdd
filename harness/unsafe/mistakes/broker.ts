import type { Mistake } from "../mistake.ts"

const ACCESS = "harness/cloud/access.ts"
const BROKER = "harness/cloud/broker.ts"
const VIEWERS = "harness/cloud/viewers.ts"

export const broker: readonly Mistake[] = [
  {
    id: "any-mailbox",
    check: "own-topics",
    says: "a camera may speak in another's mailbox",
    patches: [
      {
        path: ACCESS,
        from: 'if (session.role === "camera" && device === session.key.id && isFromCamera(name))',
        to: 'if (session.role === "camera" && isFromCamera(name))',
      },
    ],
  },
  {
    id: "hears-any-mailbox",
    check: "own-topics",
    says: "whoever is an owner hears every camera's heartbeats",
    patches: [
      {
        path: ACCESS,
        from: "OWNER_HEARS.has(topic.name) && owns(session.key.id, topic.device)",
        to: "OWNER_HEARS.has(topic.name)",
      },
    ],
  },
  {
    id: "any-view",
    check: "own-topics",
    says: "a viewer may hear another's pictures",
    patches: [{ path: ACCESS, from: " && topic.viewer === session.key.id", to: "" }],
  },
  {
    id: "commands-by-anybody",
    check: "own-topics",
    says: "whoever logs in as an owner reaches any camera",
    patches: [
      {
        path: ACCESS,
        from: 'session.role === "owner" && name === "command" && owns(session.key.id, device)',
        to: 'session.role === "owner" && name === "command"',
      },
    ],
  },
  {
    id: "wildcards",
    check: "literal-filters",
    says: "one subscription hears all cameras",
    patches: [
      {
        path: ACCESS,
        from: "  if (topic === null) return false\n",
        to: '  if (topic === null) return session.role === "owner"\n',
      },
    ],
  },
  {
    id: "retains",
    check: "nothing-retained",
    says: "the broker keeps a message for whoever comes later",
    patches: [
      {
        path: ACCESS,
        from: 'if (retain) return { to: "nobody", reason: "retained" }\n',
        to: "void retain\n",
      },
    ],
  },
  {
    id: "unbounded-payload",
    check: "nothing-retained",
    says: "a message may be as long as it likes",
    patches: [{ path: ACCESS, from: "if (bytes > PAYLOAD_BYTES_MAX)", to: "if (bytes < 0)" }],
  },
  {
    id: "will-with-content",
    check: "empty-wills",
    says: "a will says something, and the broker says it for whoever left",
    patches: [{ path: ACCESS, from: "    will.payload.length === 0 &&\n", to: "" }],
  },
  {
    id: "anybodys-will",
    check: "empty-wills",
    says: "a will speaks in another's mailbox",
    patches: [{ path: ACCESS, from: "    topic.device === client &&\n", to: "" }],
  },
  {
    id: "takeover-first",
    check: "no-takeover",
    says: "whoever knows a client id can cut its connection, password or not",
    patches: [
      {
        path: BROKER,
        from: "        packet.clean = true\n",
        to: "        packet.clean = true\n        this.#cameras.get(packet.clientId)?.conn.destroy()\n",
      },
    ],
  },
  {
    id: "no-password",
    check: "no-takeover",
    says: "a bad password is as good as the right one",
    patches: [{ path: BROKER, from: "done(null, session !== null)", to: "done(null, true)" }],
  },
  {
    id: "grant-unsigned",
    check: "viewers-by-grant",
    says: "a stranger's grant reaches the camera",
    patches: [{ path: VIEWERS, from: " && owns(key.id, device)", to: "" }],
  },
  {
    id: "grant-found",
    check: "viewers-by-grant",
    says: "whoever finds a grant reaches the camera with it",
    patches: [
      {
        path: VIEWERS,
        from: "grant && grant.receiver === viewer ? grant : null",
        to: "viewer ? grant : null",
      },
    ],
  },
  {
    id: "any-broker",
    check: "broker-pinned",
    says: "whoever answers in the broker's place is the broker",
    patches: [
      {
        path: "hardware/dialler.ts",
        from: "if (pin !== null && spkiHash(stream) !== pin.toLowerCase())",
        to: 'if (pin === "")',
      },
    ],
  },
  {
    id: "dates-decide",
    check: "broker-pinned",
    says: "a camera whose clock is wrong, or whose broker's certificate ran out, is cut off",
    patches: [
      {
        path: "hardware/dialler.ts",
        from: "rejectUnauthorized: pin === null,",
        to: "rejectUnauthorized: true,",
      },
    ],
  },
  {
    id: "gathers-without-end",
    check: "bounded-packets",
    says: "one client makes the cloud set aside 256 MB",
    patches: [
      {
        path: "harness/cloud/bound-packets.ts",
        from: "if (this.packet.length > bytesMax)",
        to: "if (bytesMax < 0)",
      },
    ],
  },
]
