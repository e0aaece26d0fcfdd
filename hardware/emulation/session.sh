#!/usr/bin/env bash
# One run, inside the namespaces that run.sh made: the first process of them, so that all others end with it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
scratch=$1
shift
parts=("${@:-}")
for file in say root household processor machine parts; do
  # shellcheck source=/dev/null
  . "$here/$file.sh"
done

keep_logs() {
  [ -z "${OBSCURA_LOGS:-}" ] || (cd "$scratch" && find . -maxdepth 2 -name '*.log' -exec cp --parents -t "$OBSCURA_LOGS" {} +) || true
}
trap keep_logs EXIT
trap 'exit 143' TERM INT

mount -t tmpfs -o size=80%,mode=0755 scratch "$scratch"
enable_arm64
say "$(qemu-aarch64-static --version | head -n 1 | sed 's/^qemu-aarch64/qemu-user/')"

deb=${OBSCURA_DEB:-}
if [ -z "$deb" ]; then
  node "$repository/harness/obscura.js" package --out "$scratch/package" >"$scratch/package.log"
  deb=$(find "$scratch/package" -name '*.deb')
fi

[ -n "${parts[0]}" ] || parts=(processor shim kernel pi3)
for part in "${parts[@]}"; do
  begun=$SECONDS
  "try_$part"
  say "$part: done in $((SECONDS - begun)) s"
done
