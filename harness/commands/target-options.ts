import { readFile } from "node:fs/promises"
import { type Command, Option } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { ClientAuthority } from "../cloud/client-authority.ts"
import { parseS3Place } from "../cloud/s3-place.ts"
import type { OutsideBroker, Target } from "../load/target.ts"
import { wholeNumber } from "./options.ts"

/** What a fleet runs against, as it is spelled on the command line. */
export interface TargetOptions {
  readonly tls?: boolean
  readonly broker?: string
  readonly brokerCa?: string
  readonly brokerUser?: string
  readonly brokerPasswordFile?: string
  readonly clientCa?: string
  readonly clientCaKey?: string
  readonly subscribers?: number
  readonly bucket?: string
  readonly s3Endpoint?: string
}

const SUBSCRIBERS_MAX = 32

export function addTargetOptions(command: Command): Command {
  return command
    .optionsGroup("Against what exists already:")
    .option("--tls", "the embedded broker speaks TLS, by an authority made for the run; cameras pin its key")
    .option("--broker <url>", "an MQTT 3.1.1 broker or cluster, mqtts://host:8883; mqtt:// on this machine")
    .option("--broker-ca <file>", "who vouches for it, PEM (default: this platform's list)")
    .option("--broker-user <name>", "the ingest's user there")
    .option("--broker-password-file <file>", "and its password: the file's first line")
    .option(
      "--client-ca <file>",
      "issue every camera a certificate by this authority (PEM), made out to its id",
    )
    .option("--client-ca-key <file>", "the authority's key, PEM: EC or RSA, without a passphrase")
    .addOption(
      new Option(
        "--subscribers <n>",
        "connections of the ingest to --broker; more than one share a subscription ($share)",
      ).argParser(wholeNumber(1, SUBSCRIBERS_MAX)),
    )
    .option("--bucket <s3-url>", "s3://bucket/prefix: sealed objects go into S3, each run's apart")
    .option("--s3-endpoint <url>", "any S3 service, https://host:9000 (default: AWS by AWS_REGION)")
    .optionsGroup("Options:")
}

/** @throws Fault "usage", definite: one line that names the option. Reads files and asks nobody. */
export async function targetOf(options: TargetOptions): Promise<Target> {
  const { tls = false, broker, bucket, s3Endpoint } = options
  if (tls && broker !== undefined)
    throw new Fault("usage", "--tls is for the embedded broker; --broker mqtts://host speaks it by itself")
  if (broker === undefined) needsBroker(options)
  if (bucket === undefined && s3Endpoint !== undefined)
    throw new Fault("usage", "--s3-endpoint goes with --bucket s3://bucket/prefix")
  return {
    tls,
    broker: broker === undefined ? null : await outsideBroker(broker, options),
    bucket: bucket === undefined ? null : parseS3Place(bucket, s3Endpoint ?? null),
  }
}

/** What repeats a run against the same things. Secrets are in files, which it names. */
export function targetWords(options: TargetOptions): readonly string[] {
  const { tls, subscribers, ...texts } = options
  const named: readonly (readonly [string, string | undefined])[] = [
    ["--broker", texts.broker],
    ["--broker-ca", texts.brokerCa],
    ["--broker-user", texts.brokerUser],
    ["--broker-password-file", texts.brokerPasswordFile],
    ["--client-ca", texts.clientCa],
    ["--client-ca-key", texts.clientCaKey],
    ["--subscribers", subscribers === undefined ? undefined : String(subscribers)],
    ["--bucket", texts.bucket],
    ["--s3-endpoint", texts.s3Endpoint],
  ]
  return [
    ...(tls ? ["--tls"] : []),
    ...named.flatMap(([option, value]) => (value === undefined ? [] : [option, value])),
  ]
}

function needsBroker(options: TargetOptions): void {
  const { brokerCa, brokerUser, brokerPasswordFile, clientCa, clientCaKey, subscribers } = options
  const alone = { brokerCa, brokerUser, brokerPasswordFile, clientCa, clientCaKey, subscribers }
  for (const [name, value] of Object.entries(alone))
    if (value !== undefined) {
      const option = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      throw new Fault("usage", `--${option} goes with --broker mqtts://host`)
    }
}

async function outsideBroker(url: string, options: TargetOptions): Promise<OutsideBroker> {
  const { brokerCa, brokerUser, brokerPasswordFile, clientCa, clientCaKey, subscribers = 1 } = options
  networkDialler(url) // which says what is wrong with it
  const isTls = url.startsWith("mqtts:")
  if (!isTls && (brokerCa !== undefined || clientCa !== undefined))
    throw new Fault("usage", "--broker-ca and --client-ca go with --broker mqtts://host: mqtt:// has no TLS")
  if ((clientCa === undefined) !== (clientCaKey === undefined))
    throw new Fault("usage", "--client-ca and --client-ca-key go together")
  if (brokerPasswordFile !== undefined && brokerUser === undefined)
    throw new Fault("usage", "--broker-password-file goes with --broker-user")
  const ca = await contentOf("--broker-ca", brokerCa)
  if (ca !== null && !ca.includes("-----BEGIN CERTIFICATE-----"))
    throw new Fault("usage", `--broker-ca ${brokerCa}: no certificate in PEM`)
  const certificate = await contentOf("--client-ca", clientCa)
  const key = await contentOf("--client-ca-key", clientCaKey)
  const clients = certificate === null || key === null ? null : { certificate, key }
  if (clients) new ClientAuthority(clients)
  const password = await contentOf("--broker-password-file", brokerPasswordFile)
  const [line = ""] = password?.split("\n") ?? []
  return {
    ...{ url, ca, user: brokerUser ?? null, clients, subscribers },
    password: password === null ? null : line.replace(/\r$/, ""),
  }
}

async function contentOf(option: string, path: string | undefined): Promise<string | null> {
  if (path === undefined) return null
  try {
    return await readFile(path, "utf8")
  } catch (cause) {
    const isAway = cause instanceof Error && "code" in cause && cause.code === "ENOENT"
    const why = isAway ? "no such file" : `cannot be read (${messageOf(cause)})`
    throw new Fault("usage", `${option} ${path}: ${why}`, { cause })
  }
}
