#!/usr/bin/env bash
# The camera on a Pi's processor and kernel, without a Pi: README.md says what is tried, and what was seen.
#
#   run.sh [processor] [shim] [kernel] [pi3]      what to try; everything unless named
#
#   OBSCURA_CACHE    where the arm64 root is kept between runs (~/.cache/obscura)
#   DEBIAN_MIRROR    where it is made from (the mirror of this machine's own apt; where that has none, mmdebstrap's)
#   OBSCURA_DEB      the package to try, instead of the one that these sources make
#   OBSCURA_LOGS     a folder that gets what the machines and cameras said
#
# Everything runs in namespaces of its own: mounts, processes and the disk that it uses end with it, however it ends.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

for part in "$@"; do
  [[ $part =~ ^(processor|shim|kernel|pi3)$ ]] || {
    echo "arm64: there is no part \"$part\": processor, shim, kernel, pi3" >&2
    exit 2
  }
done
[ "$(id -u)" -eq 0 ] || {
  echo "arm64: needs root, for chroot and mounts: sudo $0" >&2
  exit 2
}
missing=()
for tool in mmdebstrap:mmdebstrap arch-test:arch-test qemu-aarch64-static:qemu-user-static \
  qemu-system-aarch64:qemu-system-arm update-binfmts:binfmt-support socat:socat cpio:cpio depmod:kmod \
  ffmpeg:ffmpeg dpkg-deb:dpkg setpriv:util-linux; do
  command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
done
[ "${#missing[@]}" -eq 0 ] || {
  echo "arm64: not installed: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 2
}

export OBSCURA_LOGS=${OBSCURA_LOGS:-} OBSCURA_CACHE=${OBSCURA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/obscura}
[ -n "${DEBIAN_MIRROR:-}" ] ||
  DEBIAN_MIRROR=$(apt-get indextargets --format "\$(REPO_URI)" "Origin: Debian" "Label: Debian" | sort -u | sed -n 1p)
export DEBIAN_MIRROR
mkdir -p "$OBSCURA_CACHE"
[ -z "${OBSCURA_LOGS:-}" ] || { mkdir -p "$OBSCURA_LOGS" && OBSCURA_LOGS=$(realpath "$OBSCURA_LOGS"); }

[ -d /proc/sys/fs/binfmt_misc ] || modprobe binfmt_misc || {
  echo "arm64: this kernel cannot run another processor's programs (binfmt_misc)" >&2
  exit 2
}
# In a view of mounts of its own: there, binfmt_misc may be mounted without anybody else's seeing it.
binfmt() {
  unshare --mount sh -c "cd /proc/sys/fs/binfmt_misc
    [ -e status ] || mount -t binfmt_misc binfmt_misc . && cd /proc/sys/fs/binfmt_misc && $1"
}
had_arm64=$(binfmt '{ [ ! -e qemu-aarch64 ] || echo yes; }')

# An empty folder: inside, a disk in memory is mounted on it that only this run sees.
scratch=$(mktemp -d)
session=
end() {
  # The first process inside is asked to end, and then made to.
  if [ -n "$session" ]; then
    pkill -TERM -P "$session" || true
    timeout 10 tail --pid="$session" -f /dev/null || kill -KILL "$session" || true
  fi
  rmdir "$scratch"
  [ -n "$had_arm64" ] || binfmt 'update-binfmts --disable qemu-aarch64' >/dev/null
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
  "$here/session.sh" "$scratch" "$@" &
session=$!
status=0
wait "$session" || status=$?
session=
exit "$status"
