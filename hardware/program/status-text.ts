import type { Bytes } from "../../firmware/units.ts"
import type { OpenPorts } from "./ports-open.ts"
import type { StatusReport } from "./status.ts"
import type { CameraStatus } from "./status-file.ts"
import type { Swap } from "./swap.ts"
import type { Holdings } from "./watched-disk.ts"

/** A report for people: one fact a line. */
export function statusText(report: StatusReport): string {
  const { running, said, left } = report
  const facts = running && said ? ofRunning(said) : ofDead(report)
  const nothing = !running && !said && !left && !report.unreadable
  return [
    ...(nothing
      ? [["camera", "none on this machine yet: it makes its key when it first runs"] as const]
      : facts),
    ...aboutMachine(report),
  ]
    .map(([name, value]) => `${name.padEnd(12)}${value}`)
    .join("\n")
}

type Fact = readonly [name: string, value: string]

function ofRunning(said: CameraStatus): Fact[] {
  return [
    [
      "camera",
      `${said.device ?? "no key yet"}, ${said.paired ? "paired" : "no owner yet: press its button"}`,
    ],
    ["state", `${said.state}, running since ${said.startedAt}, version ${said.version}`],
    [
      "broker",
      said.broker === null
        ? "none in the settings: it records and keeps"
        : `${said.broker}, ${said.connectedSince ? `connected since ${said.connectedSince}` : "not connected"}`,
    ],
    ["delivered", said.lastDeliveredAt ? `last at ${said.lastDeliveredAt}` : "nothing since it started"],
    [
      "spool",
      `${spoolText(said.spool)}${said.freeBytes === null ? "" : `; ${sizeText(said.freeBytes)} free`}`,
    ],
    ["lens", said.lens ?? "none yet"],
    ["recognition", recognitionText(said.recognition)],
    ["board", boardText(said)],
    ...lastFault(said),
  ]
}

function recognitionText(recognition: CameraStatus["recognition"]): string {
  if (!recognition) return "no model in use: obscura-camera model list"
  const { family, runtime, memoryBytes, pictures, millisecondsPerPicture, damagedKeyFrames } = recognition
  const pace = millisecondsPerPicture === null ? "" : `, ${Math.round(millisecondsPerPicture)} ms each`
  const damaged = damagedKeyFrames === 0 ? "" : `; ${damagedKeyFrames} key frames could not be decoded`
  return `${family} in ${runtime}, ${sizeText(memoryBytes)}; ${pictures} pictures${pace}${damaged}`
}

function ofDead({ said, left, unreadable }: StatusReport): Fact[] {
  const since = said?.writtenAt ?? left?.lastWroteAt?.toISOString()
  return [
    ...(left
      ? [["camera", `${left.device ?? "no key yet"}, ${left.paired ? "paired" : "no owner yet"}`] as const]
      : []),
    ["state", `not running${since ? ` since ${since}` : ""}; its log: journalctl -u obscura-camera`],
    ...(left ? [["spool", spoolText(left.spool)] as const] : []),
    ...(unreadable === null ? [] : [["disk", unreadable] as const]),
    ...(said ? lastFault(said) : []),
  ]
}

function aboutMachine({ ports, swap, ssh, running }: StatusReport): Fact[] {
  const opens = ports.camera && portsText(ports.camera)
  const found = opens ? `OPENS ${opens}: this is not obscura's program` : null
  const looked = running && ports.camera !== null ? " (its sockets were looked at)" : ""
  return [
    ["ports", found ?? `the camera opens none${looked}`],
    ["machine", `listens on ${portsText(ports.machine) || "no port"}`],
    ["swap", swapText(swap)],
    ["ssh", ssh === null ? "unknown: no systemd to ask" : sshText(ssh)],
  ]
}

/** Empty: none. */
function portsText({ tcp, udp }: OpenPorts): string {
  return [tcp.length > 0 ? `TCP ${tcp.join(", ")}` : "", udp.length > 0 ? `UDP ${udp.join(", ")}` : ""]
    .filter((text) => text !== "")
    .join("; ")
}

function swapText({ onDisk, cameraIsKeptOut }: Swap): string {
  if (onDisk.length === 0) return "none on a disk"
  const where = onDisk.join(", ")
  return cameraIsKeptOut
    ? `on ${where}; the kernel keeps the camera out of it`
    : `ON ${where}: pictures in memory may be written there; keep it in memory by Mechanism=zram in /etc/rpi/swap.conf.d/90-obscura.conf, or switch it off`
}

function sshText({ running, atBoot }: NonNullable<StatusReport["ssh"]>): string {
  if (running)
    return `ON${atBoot ? ", and at every boot" : ", until the next boot"}: sudo systemctl disable --now ssh`
  return atBoot ? "off now, ON at the next boot: sudo systemctl disable ssh" : "off"
}

function lastFault({ lastFault }: CameraStatus): Fact[] {
  return lastFault ? [["last fault", `${lastFault.at} ${lastFault.where}: ${lastFault.reason}`]] : []
}

function boardText({ temperatureCelsius, undervoltage, throttled }: CameraStatus): string {
  const facts = [
    temperatureCelsius === null ? "temperature unknown" : `${temperatureCelsius.toFixed(1)} °C`,
    undervoltage ? "UNDERVOLTAGE: a stronger power supply" : undervoltage === false ? "voltage fine" : null,
    throttled ? "THROTTLED" : null,
  ]
  return facts.filter((fact) => fact !== null).join(", ")
}

function spoolText({ objects, bytes, waiting }: Holdings): string {
  return `${objects} sealed objects, ${sizeText(bytes)}; ${waiting} manifests wait for the cloud`
}

function sizeText(bytes: Bytes): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
