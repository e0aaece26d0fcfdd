import { randomBytes } from "node:crypto"
import { chmod, link, lstat, mkdir, open, readFile, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Fault, messageOf } from "../../firmware/errors.ts"

const MARK = "obscura's raspivid shim"

/**
 * An executable that takes raspivid's options and becomes rpicam-vid with the same meaning (exec, so signals reach it).
 * POSIX sh and awk: it needs no Node, and every system with rpicam-vid has both. Options that rpicam-vid has no word for
 * and video does without are dropped; unknown ones end it with 64 as raspivid does.
 *
 * It walks through its options once: each is taken from the front, and what stands for it is put at the end.
 */
export const SHIM = String.raw`#!/bin/sh
# ${MARK}: raspivid's options in, rpicam-vid out.
# Signals reach rpicam-vid, which takes this process over.
set -u

knows() { printf '%s\n' "$help" | grep -Eq -e "^ {0,4}(-. \[ )?--$1( |$)"; }
scaled() { awk -v x="$1" -v by="$2" -v plus="$3" 'BEGIN { printf "%g", x / by + plus }'; }
refuse() { echo "raspivid: $1" >&2; exit 64; }

command -v rpicam-vid >/dev/null 2>&1 || {
  echo "raspivid: there is no rpicam-vid to hand over to: sudo apt install rpicam-apps-lite" >&2
  exit 70
}
help=$(rpicam-vid --help 2>/dev/null)

left=$#
while [ "$left" -gt 0 ]; do
  option=$1
  shift
  left=$((left - 1))

  # Flags: what stands for them, or nothing.
  case $option in
    --inline | -ih) set -- "$@" --inline; continue ;;
    --nopreview | -n) set -- "$@" --nopreview; continue ;;
    --fullscreen | -f) set -- "$@" --fullscreen; continue ;;
    --hflip | -hf) set -- "$@" --hflip; continue ;;
    --vflip | -vf) set -- "$@" --vflip; continue ;;
    --flush | -fl) knows flush && set -- "$@" --flush; continue ;;
    --verbose | -v | --vstab | -vs | --penc | -e | --spstimings | -stm | --stats | -st | --settings | -set) continue ;;
    --gpsdexif | -gps | --decimate | -dec | --3dswap | -3dswap) continue ;;
    --circular | -c | --keypress | -k | --signal | -s | --split | -sp | --listen | -l | --demo | -d)
      refuse "the shim cannot do $option" ;;
    --help | -\?) exec rpicam-vid --help ;;
  esac

  # All others have a value.
  [ "$left" -gt 0 ] || refuse "Invalid command line option ($option)"
  value=$1
  shift
  left=$((left - 1))
  case $option in
    --width | -w) set -- "$@" --width "$value" ;;
    --height | -h) set -- "$@" --height "$value" ;;
    --output | -o) set -- "$@" --output "$value" ;;
    --timeout | -t) set -- "$@" --timeout "$value" ;;
    --bitrate | -b) set -- "$@" --bitrate "$value" ;;
    --framerate | -fps) set -- "$@" --framerate "$value" ;;
    --intra | -g) set -- "$@" --intra "$value" ;;
    --profile | -pf) set -- "$@" --profile "$value" ;;
    --level | -lev) set -- "$@" --level "$value" ;;
    --codec | -cd) set -- "$@" --codec "$(printf %s "$value" | tr 'A-Z' 'a-z')" ;;
    --rotation | -rot) set -- "$@" --rotation "$value" ;;
    --camselect | -cs) set -- "$@" --camera "$value" ;;
    --preview | -p) set -- "$@" --preview "$value" ;;
    --roi | -roi) set -- "$@" --roi "$value" ;;
    --shutter | -ss) set -- "$@" --shutter "$value" ;;
    --analoggain | -ag) set -- "$@" --gain "$value" ;;
    --ISO | -ISO) set -- "$@" --gain "$(scaled "$value" 100 0)" ;;
    --ev | -ev) set -- "$@" --ev "$value" ;;
    --awbgains | -awbg) set -- "$@" --awbgains "$value" ;;
    --save-pts | -pts) knows save-pts && set -- "$@" --save-pts "$value" ;;
    --brightness | -br) set -- "$@" --brightness "$(scaled "$value" 50 -1)" ;;
    --contrast | -co) set -- "$@" --contrast "$(scaled "$value" 100 1)" ;;
    --saturation | -sa) set -- "$@" --saturation "$(scaled "$value" 100 1)" ;;
    --sharpness | -sh) set -- "$@" --sharpness "$(scaled "$value" 100 1)" ;;
    --exposure | -ex)
      case $value in
        night | nightpreview | verylong) set -- "$@" --exposure long ;;
        sports) set -- "$@" --exposure sport ;;
        *) set -- "$@" --exposure normal ;;
      esac ;;
    --awb | -awb)
      case $value in
        sun) set -- "$@" --awb daylight ;;
        cloud | shade) set -- "$@" --awb cloudy ;;
        tungsten | fluorescent | incandescent) set -- "$@" --awb "$value" ;;
        *) set -- "$@" --awb auto ;;
      esac ;;
    --metering | -mm)
      case $value in
        spot | matrix) set -- "$@" --metering "$value" ;;
        *) set -- "$@" --metering average ;;
      esac ;;
    --qp | -qp | --slices | -sl | --irefresh | -if | --mode | -md | --imxfx | -ifx | --colfx | -cfx | --drc | -drc) ;;
    --opacity | -op | --dispnum | -dn | --digitalgain | -dg | --flicker | -fli | --stereo | -3d) ;;
    --annotate | -a | --annotateex | -ae | --start | -sn | --wrap | -wr) ;;
    --initial | -i) [ "$value" = record ] || refuse "the shim cannot do $option $value" ;;
    --segment | -sg | --timed | -td | --vectors | -x | --raw | -r | --raw-format | -rf)
      refuse "the shim cannot do $option" ;;
    *) refuse "Invalid command line option ($option)" ;;
  esac
done

# A board that encodes on its processor needs the container named, and makes B-frames unless told not to.
knows libav-format && set -- "$@" --libav-format h264
knows low-latency && set -- "$@" --low-latency
exec rpicam-vid "$@"
`

/**
 * Puts the shim at `path`, for all to run, in place of an older one; nothing half-written is ever there.
 *
 * @throws Fault "usage", definite: something else is there, such as a real raspivid, or nothing may be written there.
 */
export async function installShim(path: string): Promise<void> {
  const replaces = await isShim(path)
  const temporary = join(dirname(path), `.raspivid-${randomBytes(6).toString("hex")}`)
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 })
    await writeDurably(temporary, SHIM)
    // A link never replaces: what came there in the meantime stays.
    if (replaces) await rename(temporary, path)
    else await link(temporary, path)
  } catch (cause) {
    throw new Fault(
      "usage",
      `${path}: the shim cannot be installed (${messageOf(cause)}); run this as root`,
      { cause },
    )
  } finally {
    await rm(temporary, { force: true })
  }
}

/** @throws Fault "usage", definite: it is something else. */
async function isShim(path: string): Promise<boolean> {
  const there = await lstat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return null
    throw new Fault("usage", `${path}: cannot be looked at (${messageOf(cause)})`, { cause })
  })
  if (there === null) return false
  const isOurs = there.isFile() && (await readFile(path, "latin1").catch(() => "")).includes(MARK)
  if (isOurs) return true
  throw new Fault(
    "usage",
    `${path}: is there already and not obscura's; it stays. Remove it yourself if the shim shall take its place`,
  )
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o755)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  // Whatever the umask is.
  await chmod(path, 0o755)
}
