# shellcheck shell=bash
# The arm64 root without a kernel of its own: its programs run under qemu-user, on a stand-in camera and stand-in pins.

BELL=27

# enter_root: mounts what a root needs, and puts the package and the stand-ins in it. Sets root and camera_program.
enter_root() {
  root=$scratch/root
  unpack_root "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  install_package "$root" "$deb"
  mkdir -p "$root/stand-ins/camera" "$root/stand-ins/gpio"
  cp "$repository"/test/hardware/stand-ins/camera/*.mjs "$root/stand-ins/camera/"
  stand_in_camera >"$root/stand-ins/rpicam-vid"
  "$repository/test/hardware/stand-ins/rpicam-vid" --help >"$root/stand-ins/help"
  cp "$repository/simulator/scene/footage/day-person.h264" "$root/stand-ins/footage.h264"
  for tool in gpiodetect gpioinfo gpioget gpiomon gpioset; do cp "$here/stand-in-gpiod" "$root/stand-ins/$tool"; done
  mkfifo "$root/stand-ins/gpio/edges"
  : >"$root/stand-ins/gpio/written"
  chmod -R a+rwX "$root/stand-ins"
  chmod a+x "$root/stand-ins/rpicam-vid"
  # An array, so that a camera in the background is the process that is told to stop.
  camera_program=(chroot --userspec=obscura:obscura "$root" /usr/bin/env -i PATH=/stand-ins:/usr/bin:/bin LANG=C.UTF-8
    GPIO_STAND_IN=/stand-ins/gpio STAND_IN_FOOTAGE=/stand-ins/footage.h264 STAND_IN_LUMA=/stand-ins/luma
    STAND_IN_CALLS=/stand-ins/calls obscura-camera)
  # A picture to look at, for the self-test.
  ffmpeg -v error -i "$root/stand-ins/footage.h264" -frames:v 1 -pix_fmt gray -f rawvideo "$root/stand-ins/luma"
  chroot "$root" install -d -o obscura -g obscura /run/obscura /etc/obscura
}

# The tests' stand-in is a Node program: under emulation it takes longer to start than a camera may take for its --help.
stand_in_camera() {
  cat <<'SH'
#!/bin/sh
[ "$*" != --help ] || exec cat /stand-ins/help
exec node /stand-ins/camera/rpicam-vid.mjs "$@"
SH
}

leave_root() {
  umount -l "$root/dev" "$root/proc"
  rm -rf "$root"
}

# settle LENS [GPIO PINS]: what the camera is told, as JSON.
settle() {
  cat >"$root/etc/obscura/camera.json" <<JSON
{
  "broker": "mqtt://127.0.0.1:$broker_port",
  "gpio": ${2:-"{ \"chipLabel\": \"stand-in\" }"},
  "lens": $1,
  "camera": { "recording": { "preRoll": 3000, "postRoll": 3000 }, "pins": ${3:-"{ \"bell\": $BELL }"} }
}
JSON
}

# A press of 150 ms, edges as the kernel would tell them.
press_bell() {
  echo "1 $BELL" >"$root/stand-ins/gpio/edges"
  sleep 0.15
  echo "2 $BELL" >"$root/stand-ins/gpio/edges"
}

pair_camera() {
  invite
  local log=$household/camera-pairing.log pairing
  "${camera_program[@]}" pair --setup - <<<"$setup_text" >"$log" 2>&1 &
  pairing=$!
  await 120 "$pairing" "$log" 'Press its button'
  sleep 3
  press_bell
  await 120 "$pairing" "$log" '^Paired'
  wait "$pairing" || die "pairing: $(cat "$log")"
  wait "$inviting" || die "the owner's side of pairing: $(cat "$household/pair.log")"
}

# record_clip LOG: one camera from start to stop, with one press of its bell.
record_clip() {
  local log=$1 camera
  "${camera_program[@]}" run >"$log" 2>&1 &
  camera=$!
  await 180 "$camera" "$log" '"event":"connected"'
  # The pre-roll fills; emulation is slow to start the lens.
  sleep 10
  press_bell
  await 120 "$camera" "$log" '"event":"clip recorded"'
  await 120 "$camera" "$log" '"event":"received"' '"event":"clip recorded"'
  stop 20 "$camera" || die "the camera did not stop in order: $(tail -n 3 "$log")"
}

# What gpioset was told, in order.
light_story() { tr '\n' ' ' <"$root/stand-ins/gpio/written"; }

versions_in_root() {
  chroot "$root" sh -c '
    . /etc/os-release
    echo "$PRETTY_NAME $(dpkg --print-architecture), node $(node --version), gpiod $(dpkg-query -Wf "\${Version}" gpiod)"'
}
