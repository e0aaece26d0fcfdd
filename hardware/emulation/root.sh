# shellcheck shell=bash
# An arm64 Debian trixie with Node, gpiod, systemd and Debian's kernel, kept as one tar file.

ROOT_PACKAGES=nodejs,gpiod,ca-certificates,systemd,systemd-sysv,udev,kmod,socat

# enable_arm64: lets the kernel run arm64 programs; run.sh ends that.
enable_arm64() {
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || update-binfmts --enable qemu-aarch64 >/dev/null
}

# unpack_root FOLDER: a fresh root there; makes the tar file first where none is kept.
unpack_root() {
  # What is made otherwise is another root.
  local kept
  kept=$OBSCURA_CACHE/trixie-arm64-$({ echo "$ROOT_PACKAGES" && declare -f make_root; } | sha256sum | cut -c1-12).tar
  if [ ! -e "$kept" ]; then
    say "making an arm64 root of Debian trixie; this takes minutes, once"
    make_root "$kept.$$" || { rm -f "$kept.$$" && die "no root: $(tail -n 3 "$scratch/mmdebstrap.log")"; }
    mv "$kept.$$" "$kept"
  fi
  mkdir -p "$1"
  tar -x --numeric-owner -f "$kept" -C "$1"
}

# The kernel is unpacked, not installed: nothing here boots from a disk, and an initramfs made under emulation takes long.
make_root() {
  local kernel='
    set -e
    image=$(chroot "$1" apt-cache depends linux-image-arm64 | sed -n "s/.*Depends: \(linux-image-[0-9].*\)/\1/p" | head -n 1)
    chroot "$1" sh -c "cd /tmp && apt-get download $image" && dpkg -x "$1"/tmp/linux-image-*.deb "$1"
    rm "$1"/tmp/linux-image-*.deb'
  TMPDIR=$scratch timeout -k 10 2400 mmdebstrap --arch=arm64 --variant=minbase --include="$ROOT_PACKAGES" \
    --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="$kernel" --format=tar trixie "$1" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$scratch/mmdebstrap.log" 2>&1
}

# install_package ROOT DEB: as a person would, and nothing is fetched: all it depends on is there.
install_package() {
  cp "$2" "$1/tmp/"
  timeout -k 10 600 chroot "$1" apt-get install -y "/tmp/${2##*/}" >"$scratch/install.log" 2>&1 || {
    tail -n 20 "$scratch/install.log" >&2
    die "the package does not install"
  }
}
