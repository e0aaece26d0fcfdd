#!/bin/sh
# First boot of an obscura camera: wipes the Wi-Fi's secret from the boot partition, installs the camera's package, looks
# whether the camera works, and writes obscura-status.txt there, which any computer can read from the card. Meanwhile the
# board's own green light tells. What fails is tried again at the next boot.
set -u

root=${OBSCURA_ROOT:-}
boot=$root/boot/firmware
package=$boot/obscura-camera.deb
log=$root/var/log/obscura-first-boot.log
mkdir -p "$root/var/log"
: >"$log"
chmod 0600 "$log"

# light ON OFF, in milliseconds: the board's own light, in the codes of the camera's status light.
light() {
  for led in "$root/sys/class/leds/ACT" "$root/sys/class/leds/led0"; do
    [ -w "$led/trigger" ] || continue
    echo timer >"$led/trigger" && echo "$1" >"$led/delay_on" && echo "$2" >"$led/delay_off"
    break
  done
}

# say STATE WHAT [DO]
say() {
  case "$1" in
    working) light 1000 1000 ;;
    failed) light 100 100 ;;
    ready) light 50 4950 ;;
  esac
  {
    echo "obscura camera: first boot"
    echo "state: $1"
    echo "when:  $(date -u +%Y-%m-%dT%H:%M:%SZ), by the camera's clock"
    echo "host:  $(hostname)"
    echo "what:  $2"
    [ -z "${3:-}" ] || echo "do:    $3"
    [ ! -s "$root/etc/obscura/card.json" ] || echo "card:  $(head -n 1 "$root/etc/obscura/card.json")"
    [ ! -s "$root/run/obscura-first-boot.details" ] || { echo; head -n 30 "$root/run/obscura-first-boot.details"; }
  } >"$boot/obscura-status.new" && mv -f "$boot/obscura-status.new" "$boot/obscura-status.txt"
  sync
}

give_up() {
  tail -n 15 "$log" >"$root/run/obscura-first-boot.details"
  say failed "$1" "$2"
  exit 1
}

# overwrite FILE: in place. (A flash chip may still keep the old bytes in spare blocks.)
overwrite() {
  size=$(wc -c <"$1")
  head -c "$size" /dev/zero | dd of="$1" conv=notrunc,fsync 2>/dev/null
}

# replace FILE LINE...
replace() {
  file=$1
  shift
  [ ! -f "$file" ] || overwrite "$file"
  printf '%s\n' "$@" >"$file.new" && mv -f "$file.new" "$file"
  sync
}

applied_wifi() {
  grep -qs "access-points" "$root"/etc/netplan/*.yaml || ls "$root"/etc/NetworkManager/system-connections/*.nmconnection >/dev/null 2>&1
}

wipe_secrets() {
  # cloud-init's own copies, on the root partition, are for root alone.
  for copy in "$root"/var/lib/cloud/instances/*/user-data* "$root"/var/lib/cloud/instances/*/vendor-data* \
    "$root"/var/lib/cloud/instances/*/network-config* "$root"/var/lib/cloud/instances/*/cloud-config.txt \
    "$root"/var/lib/cloud/instances/*/obj.pkl "$root"/etc/netplan/*.yaml; do
    [ ! -f "$copy" ] || chmod 0600 "$copy"
  done
  # Its log has the network's configuration as it applied it, with the secret.
  for copy in "$root"/var/log/cloud-init.log "$root"/var/log/cloud-init-output.log; do
    [ ! -f "$copy" ] || sed -i '/access-points/d' "$copy"
  done
  # Of other ways to set a card up. Nobody else takes them away: who would is masked.
  for other in custom.toml wpa_supplicant.conf firstrun.sh userconf userconf.txt; do
    [ ! -f "$boot/$other" ] || { overwrite "$boot/$other" && rm -f "$boot/$other"; }
  done
  if grep -qs "wifis:" "$boot/network-config"; then
    applied_wifi || give_up "the Wi-Fi on this card was not taken over by cloud-init" \
      "look at $log on the card's second partition; flash the card again"
    replace "$boot/network-config" "# The Wi-Fi was taken over at first boot, and its secret wiped from here." \
      "network:" "  version: 2" "  ethernets:" "    eth0:" "      dhcp4: true" "      optional: true"
  fi
  if grep -qs "Made by obscura flash" "$boot/user-data"; then
    replace "$boot/user-data" "#cloud-config" "# Read at first boot, and emptied then." "preserve_hostname: true"
  fi
}

# try TIMES COMMAND...: five seconds apart
try() {
  left=$1
  shift
  until "$@" >>"$log" 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 5
  done
}

has_route() {
  [ -n "$(ip -4 route show default)" ] || [ -n "$(ip -6 route show default)" ]
}

has_time() {
  [ -e "$root/run/systemd/timesync/synchronized" ]
}

# Pictures must not reach the card through swap. The setting that swap is memory alone counts from the next boot on.
keep_swap_in_memory() {
  systemctl stop rpi-zram-writeback.timer rpi-zram-writeback.service >>"$log" 2>&1
  while read -r swap _; do
    case "$swap" in
      Filename | */zram*) ;;
      *) swapoff "$swap" >>"$log" 2>&1 || return 1 ;;
    esac
  done <"$root/proc/swaps"
}

# What rpicam-vid comes from: a Pi 5 encodes by libav, which is not in every version of the lite package.
lens_package() {
  case "$(tr -d '\0' <"$root/proc/device-tree/model")" in
    *"Raspberry Pi 5"* | *"Compute Module 5"*) echo rpicam-apps ;;
    *) command -v rpicam-vid >/dev/null 2>&1 || echo rpicam-apps-lite ;;
  esac
}

install_package() {
  # Not from the boot partition itself, where apt's own user may not read.
  install -D -m 0644 "$package" "$root/var/cache/obscura/obscura-camera.deb" || return 1
  lens=$(lens_package)
  apt-get update &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y install \
      "$root/var/cache/obscura/obscura-camera.deb" ${lens:+"$lens"}
}

# It runs, and says so itself. A camera without an owner is still booting to its own mind.
camera_answers() {
  report=$root/run/obscura-first-boot.json
  systemctl is-active --quiet obscura-camera.service || return 1
  timeout 60 obscura-camera status --json >"$report" || return 1
  grep -q '^  "running": true' "$report" || return 1
  ! grep -Eq '^    "state": "(fault|stopped)"' "$report"
}

# Without an owner it has not looked through its lens yet.
lens_is_there() {
  timeout 60 rpicam-vid --list-cameras >"$root/run/obscura-first-boot.lenses" 2>&1 &&
    ! grep -qi "no cameras available" "$root/run/obscura-first-boot.lenses"
}

: >"$root/run/obscura-first-boot.details"
light 1000 1000
wipe_secrets
say working "waiting for the network"
! command -v rfkill >/dev/null 2>&1 || rfkill unblock wifi
try 60 has_route || give_up "no network within five minutes" \
  "is the Wi-Fi's name and password right, and the network in reach? Flash the card again with the right ones, or plug a cable in"
try 24 has_time || echo "the clock was not set by any time server" >>"$log"
keep_swap_in_memory || give_up "swap on the card could not be turned off" "flash the card again"
# A cloud-config of the owner's may install things as well; two cannot at once.
! command -v cloud-init >/dev/null 2>&1 || timeout 300 cloud-init status --wait >>"$log" 2>&1
say working "installing the camera and what it needs from Debian"
[ -f "$package" ] || give_up "obscura-camera.deb is not on the boot partition" "flash the card again"
try 3 install_package || give_up "the package could not be installed" \
  "the last lines below say why; it is tried again at the next boot"
rm -rf "$root/var/cache/obscura"

say working "waiting for the camera"
# It makes its key, and has a name then.
sleep 10
if ! try 6 camera_answers; then
  { obscura-camera status; journalctl -u obscura-camera -n 8 -o cat --no-pager; } >>"$log" 2>&1
  give_up "the camera is installed, but does not work" "the last lines below say why; it is looked at again at the next boot"
fi
if ! try 3 lens_is_there; then
  cat "$root/run/obscura-first-boot.lenses" >>"$log"
  give_up "the camera is installed, but sees no camera module" \
    "take the power away, look at the cable's seat and side, and give it power again"
fi
timeout 60 obscura-camera status >"$root/run/obscura-first-boot.details" 2>&1
touch "$root/var/lib/cloud/instance/obscura-first-boot.done"
systemctl disable obscura-first-boot.service >>"$log" 2>&1
say ready "the camera is installed, and runs now and at every boot" "pair it with its owner"
