# shellcheck shell=bash
# What all parts use to speak, to wait and to give up.

say() { echo "arm64: $*"; }

die() {
  echo "arm64: failed: $*" >&2
  exit 1
}

# await SECONDS PROCESS FILE PATTERN [AFTER]: until FILE has PATTERN, below its first line with AFTER. Gives up when
# PROCESS has ended or the time is over, and then shows what FILE has.
await() {
  local until=$((SECONDS + $1)) process=$2 file=$3 pattern=$4 after=${5:-}
  while ! has "$file" "$pattern" "$after"; do
    if [ "$SECONDS" -ge "$until" ] || ! kill -0 "$process" 2>/dev/null; then
      has "$file" "$pattern" "$after" && return
      tail -n 30 "$file" >&2 || true
      die "no \"$pattern\" within $1 s"
    fi
    sleep 0.2
  done
}

has() {
  if [ -z "$3" ]; then grep -Eqs -e "$2" "$1"; else sed "1,/$3/d" "$1" | grep -Eq -e "$2"; fi
}

# stop SECONDS PROCESS: asks it to end, and gives its exit code.
stop() {
  kill -TERM "$2" 2>/dev/null || true
  (sleep "$1" && kill -KILL "$2") 2>/dev/null &
  local guard=$! status=0
  wait "$2" || status=$?
  kill "$guard" 2>/dev/null || true
  return "$status"
}
