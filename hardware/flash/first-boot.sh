#!/bin/sh
# First boot of an obscura camera: wipes the Wi-Fi's secret from the boot partition, installs the camera's package, and
# writes obscura-status.txt there, which any computer can read from the card. What fails is tried again at the next boot.
set -u

root=${OBSCURA_ROOT:-}
boot=$root/boot/firmware
package=$boot/obscura-camera.deb
log=$root/var/log/obscura-first-boot.log
mkdir -p "$root/var/log"
: >"$log"
chmod 0600 "$log"

# say STATE WHAT [DO]
say() {
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

# replace FILE LINE...: the old bytes are overwritten in place first. (A flash chip may still keep them in spare blocks.)
replace() {
  file=$1
  shift
  if [ -f "$file" ]; then
    size=$(wc -c <"$file")
    head -c "$size" /dev/zero | dd of="$file" conv=notrunc,fsync 2>/dev/null
  fi
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

install_package() {
  # Not from the boot partition itself, where apt's own user may not read.
  install -D -m 0644 "$package" "$root/var/cache/obscura/obscura-camera.deb" || return 1
  apt-get update &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y install \
      "$root/var/cache/obscura/obscura-camera.deb"
}

: >"$root/run/obscura-first-boot.details"
wipe_secrets
say working "waiting for the network"
! command -v rfkill >/dev/null 2>&1 || rfkill unblock wifi
try 60 has_route || give_up "no network within five minutes" \
  "is the Wi-Fi's name and password right, and the network in reach? Flash the card again with the right ones, or plug a cable in"
try 24 has_time || echo "the clock was not set by any time server" >>"$log"
say working "installing the camera and what it needs from Debian"
[ -f "$package" ] || give_up "obscura-camera.deb is not on the boot partition" "flash the card again"
try 3 install_package || give_up "the package could not be installed" \
  "the last lines below say why; it is tried again at the next boot"
rm -rf "$root/var/cache/obscura"

# It makes its key, and has a name then.
sleep 10
timeout 60 obscura-camera status >"$root/run/obscura-first-boot.details" 2>&1
touch "$root/var/lib/obscura-first-boot.done"
systemctl disable obscura-first-boot.service >>"$log" 2>&1
say ready "the camera is installed and starts with the Pi" "pair it with its owner"
