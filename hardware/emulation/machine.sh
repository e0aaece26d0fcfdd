# shellcheck shell=bash
# Debian's arm64 kernel on an emulated machine with a GPIO chip. Its root is the one that the camera was paired in, all
# of it in memory, with systemd, the camera's own service, and the real gpiod tools.

# QEMU's -M virt has a PL061 of 8 lines. On line 3 `system_powerdown` of the monitor is a press of 100 ms.
VIRT_GPIO='{ "chipLabel": "9030000.pl061" }'
VIRT_PINS='{ "bell": 3, "light": 4, "motion": 5, "status": 6 }'
VIRT_LIGHT=4
# Where it keeps the levels of all lines, one bit each.
VIRT_REGISTER=0x90303fc

# QEMU's -M raspi3b has the Pi's own chip, so the camera finds it by the board's model. Nothing can press a button there,
# so the lens sees motion.
PI3_PINS='{ "bell": 27, "light": 22, "motion": 17, "status": 23 }'
PI3_LENS='{ "use": "rpicam-vid", "motionDetection": true }'
PI3_LIGHT=22
PI3_STATUS=23
# GPLEV0: the levels of GPIO 0 to 31.
PI3_REGISTER=0x3f200034

# leave_for_machine LENS GPIO PINS: out of the arm64 root, which is settled for a machine's own pins.
leave_for_machine() {
  umount -l "$root/dev" "$root/proc"
  rm -rf "$root"/stand-ins/gpio*
  settle "$@"
  cp -r "$here/in-machine/." "$root/etc/"
  echo "BROKER_PORT=$broker_port" >"$root/etc/emulation/broker"
}

# build_memory_root ROOT FILE MODULE...: the root as an initramfs, with these kernel modules and what they need.
build_memory_root() {
  local root=$1 file=$2 version
  shift 2
  version=$(kernel_version "$root")
  depmod -b "$root" "$version"
  ln -sfn usr/lib/systemd/systemd "$root/init"
  tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
  # Else systemd brings caches up to date that nobody will use.
  touch "$root/etc/.updated" "$root/var/.updated"
  (
    cd "$root" || exit
    {
      find . -xdev \( -path './proc/*' -o -path './dev/*' -o -path './tmp/*' -o -path ./boot -o -path './usr/lib/linux-image-*' \
        -o -path './var/cache/*' -o -path './var/lib/apt/*' -o -path './usr/lib/modules/*/kernel' \) -prune -o -print
      for module in "$@"; do
        modprobe -d "$root" -S "$version" --show-depends "$module" | sed -n "s|^insmod $root/lib|./usr/lib|; s| *$||p"
      done | with_folders
    } | awk '!had[$0]++' | cpio -o -H newc --quiet
  ) >"$file"
}

# Each path after the folders above it.
with_folders() { awk -F/ '{ path = $1; for (i = 2; i <= NF; i++) { path = path "/" $i; print path } }'; }

kernel_version() { find "$1/usr/lib/modules" -mindepth 1 -maxdepth 1 -printf '%f\n' | head -n 1; }

# boot LOG QEMU_OPTION...: sets machine; what it says on its serial line goes to LOG.
boot() {
  local log=$1
  shift
  qemu-system-aarch64 -display none -no-reboot -monitor "unix:$scratch/monitor,server,nowait" "$@" 2>"$scratch/qemu.log" &
  machine=$!
  await 60 "$machine" "$log" 'Linux version'
  say "$(qemu-system-aarch64 --version | head -n 1); $(grep -o 'Linux version [^ ]*' "$log" | head -n 1)"
}

monitor() { printf '%s\n' "$1" | timeout 10 socat -t 2 - "UNIX-CONNECT:$scratch/monitor" | tr -d '\r'; }

power_off() {
  monitor quit >/dev/null || true
  wait "$machine" || true
}

# line_is LEVEL LINE REGISTER: as the emulated chip itself has it, seen from outside.
line_is() {
  local word
  word=$(monitor "xp /1wx $3" | grep -Eo ': 0x[0-9a-f]+' | cut -c3-)
  [ -n "$word" ] && [ $(((word >> $2) & 1)) -eq "$1" ]
}
