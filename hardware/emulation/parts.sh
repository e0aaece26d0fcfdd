# shellcheck shell=bash
# What is tried. Each part says in a line what it saw.

# Debian's arm64 programs on an emulated processor: the package, the self-test, and a clip to a broker outside.
try_processor() {
  enter_root
  open_household "$scratch/household-processor"
  settle '{ "use": "rpicam-vid" }'
  pair_camera
  self_test
  record_clip "$household/camera.log"
  say "processor: $(versions_in_root)"
  say "processor: $(lens_of "$household/camera.log")"
  judge_clips
  say "processor: $judged"
  say "processor: gpioset was told, in this order: $(light_story)"
  close_household
  leave_root
}

# The raspicam package and what it looks for at /opt/vc/bin/raspivid, which hands over to rpicam-vid.
try_shim() {
  enter_root
  open_household "$scratch/household-shim"
  say "shim: $(chroot "$root" obscura-camera shim)"
  settle '{ "use": "raspicam" }'
  pair_camera
  record_clip "$household/camera.log"
  say "shim: $(versions_in_root)"
  say "shim: $(lens_of "$household/camera.log")"
  say "shim: rpicam-vid was called with: $(rpicam_call)"
  judge_clips
  say "shim: $judged"
  close_household
  leave_root
}

self_test() {
  local record=$household/selftest.log status=0 told
  "${camera_program[@]}" selftest --no-operator --json >"$record" 2>"$household/selftest-errors.log" || status=$?
  # Clock, frozen and the like fail for good reason: no NTP, and a stand-in camera that shows one picture.
  told=$(verdicts key network broker disk lens picture crypto <"$record") ||
    die "the self-test: $(tail -n 3 "$household/selftest-errors.log")"
  say "processor: selftest --no-operator: exit $status, $told"
}

# verdicts CHECK...: of a self-test's record, what passed, what did not, and why. Fails unless these checks passed.
verdicts() {
  node --input-type=module --eval '
    import { readFileSync } from "node:fs"
    const { verdict, board, checks } = JSON.parse(readFileSync(0, "utf8"))
    const by = (wanted) => checks.filter((check) => check.verdict === wanted)
    const why = (wanted) => by(wanted).map(({ name, why }) => `${name} (${why})`).join("; ")
    const passed = by("pass").map(({ name }) => name).join(", ")
    const unseen = process.argv.slice(1).filter((name) => !by("pass").some((check) => check.name === name))
    if (unseen.length > 0) console.error(`arm64: the self-test did not pass: ${unseen.join(", ")}`)
    process.exitCode = unseen.length > 0 ? 1 : 0
    console.log(`${verdict} on ${board.kernel}: pass ${passed}; fail ${why("fail") || "none"}; skipped ${why("skipped")}`)' "$@"
}

lens_of() { sed -n 's/.*"event":"lens chosen","lens":"\([^"]*\)","reason":"\([^"]*\)".*/lens \1: \2/p' "$1" | head -n 1; }

rpicam_call() { tail -n 1 "$root/stand-ins/calls" | sed 's/.*"argv":\["\(.*\)"\].*/\1/; s/","/ /g'; }

# Debian's arm64 kernel: its GPIO character device, driven by the camera's own service under systemd.
try_kernel() {
  enter_root
  open_household "$scratch/household-kernel"
  settle '{ "use": "rpicam-vid" }'
  pair_camera
  leave_for_machine '{ "use": "rpicam-vid" }' "$VIRT_GPIO" "$VIRT_PINS"
  build_memory_root "$root" "$scratch/initramfs" virtio_net
  local log=$household/console.log lit
  : >"$log"
  boot "$log" -M virt -cpu cortex-a72 -smp 2 -m 2048 \
    -kernel "$root/boot/vmlinuz-$(kernel_version "$root")" -initrd "$scratch/initramfs" \
    -append 'console=ttyAMA0 panic=-1 modprobe.blacklist=gpio_keys systemd.unit=emulation.target systemd.wants=stop-after-clip.service' \
    -serial "file:$log" -netdev user,id=outside -device virtio-net-pci,netdev=outside
  await 400 "$machine" "$log" '"event":"connected"'
  sleep 15
  line_is 0 "$VIRT_LIGHT" "$VIRT_REGISTER" || die "the recording light is on before anything is recorded"
  monitor system_powerdown >/dev/null
  await 60 "$machine" "$log" '"event":"light","on":true'
  line_is 1 "$VIRT_LIGHT" "$VIRT_REGISTER" || die "the recording light is dark while the camera says it is lit"
  lit=$(line_lit "$log" "$VIRT_LIGHT") || exit 1
  say "kernel: the bell's edge on line 3 opened a clip; the kernel then has: $lit"
  await 120 "$machine" "$log" '"event":"clip recorded"'
  await 120 "$machine" "$log" '"event":"received"' '"event":"clip recorded"'
  await 30 "$machine" "$log" '"event":"light","on":false'
  line_is 0 "$VIRT_LIGHT" "$VIRT_REGISTER" || die "the recording light is still on"
  say "kernel: the recording light is off again, as the chip's own register says too"
  await 60 "$machine" "$log" 'SERVICE stopped.*held: 0'
  say "kernel: the service $(grep -ao 'stopped in .*Result=.*' "$log" | tr -d '\r')"
  judge_clips
  say "kernel: $judged"
  power_off
  close_household
  rm -rf "$root" "$scratch/initramfs"
}

# The kernel of a machine that is a Raspberry Pi 3 to it: the camera finds the chip by itself, and drives its lights.
try_pi3() {
  enter_root
  open_household "$scratch/household-pi3"
  settle '{ "use": "rpicam-vid" }'
  pair_camera
  leave_for_machine "$PI3_LENS" '{}' "$PI3_PINS"
  echo STAND_IN_MODES=motion >"$root/etc/emulation/camera"
  # No network there: the camera is offline, and blinks so.
  build_memory_root "$root" "$scratch/initramfs"
  local log=$household/console.log kernel lit
  kernel=$(kernel_version "$root")
  : >"$log"
  boot "$log" -M raspi3b -dtb "$root/usr/lib/linux-image-$kernel/broadcom/bcm2837-rpi-3-b.dtb" \
    -kernel "$root/boot/vmlinuz-$kernel" -initrd "$scratch/initramfs" \
    -append 'console=ttyS1,115200 panic=-1 systemd.unit=emulation.target systemd.wants=self-test.service' \
    -serial null -serial "file:$log"
  await 500 "$machine" "$log" 'self-test.*passed'
  say "pi3: $(grep -ao 'Machine model: [^[:cntrl:]]*' "$log" | head -n 1), self-test --no-operator: $(self_test_end "$log")"
  await 200 "$machine" "$log" '"event":"light","on":true'
  line_is 1 "$PI3_LIGHT" "$PI3_REGISTER" || die "the recording light is dark while the camera says it is lit"
  say "pi3: $(lens_of "$log")"
  lit=$(line_lit "$log" "$PI3_LIGHT") || exit 1
  say "pi3: motion opened a clip; the kernel then has: $lit"
  await_blinking 60
  lit=$(line_lit "$log" "$PI3_STATUS") || exit 1
  say "pi3: the status light blinks, as the chip's own register says; the kernel had: $lit"
  power_off
  close_household
  rm -rf "$root" "$scratch/initramfs"
}

# await_blinking SECONDS: dark, lit and dark again.
await_blinking() {
  local until=$((SECONDS + $1)) level
  for level in 0 1 0; do
    until line_is "$level" "$PI3_STATUS" "$PI3_REGISTER"; do
      [ "$SECONDS" -lt "$until" ] || die "the status light does not blink"
    done
  done
}

# What a self-test said of itself at its end.
self_test_end() { grep -Eao '(pass|fail|incomplete): [0-9]+ passed.*|selftest: failed: .*' "$1" | tr -d '\r' | paste -sd' '; }

# line_lit LOG LINE: the kernel's own word, from its debugfs, that a line is driven high; `pins-seen` says it a moment
# later. The kernel counts the lines of its first chip from 512.
line_lit() {
  local pattern="PINS +gpio-$((512 + $2)) .*[|]obscura .*out hi"
  await 30 "$machine" "$1" "$pattern"
  grep -Ea -e "$pattern" "$1" | tail -n 1 | tr -s ' ' | cut -d' ' -f2- | tr -d '\r'
}
