# shellcheck shell=bash
# What is outside of the emulated machine: the cloud with its broker, the owner, and the judges of a clip.

# An array, so that a program in the background is the process that is told to stop.
obscura=(node "$repository/harness/obscura.js")

# open_household FOLDER: an owner's new keys, and a cloud. Sets household, broker_port and cloud.
open_household() {
  household=$1
  mkdir -p "$household"
  head -c 18 /dev/urandom | base64 >"$household/passphrase"
  as_owner keys >"$household/keys.log"
  "${obscura[@]}" cloud --home "$household" --port 0 >"$household/cloud.log" 2>&1 &
  cloud=$!
  await 60 "$cloud" "$household/cloud.log" 'mqtt://127'
  broker_port=$(sed -En 's/.*mqtt:\/\/127\.0\.0\.1:([0-9]+).*/\1/p' "$household/cloud.log" | head -n 1)
}

close_household() { stop 10 "$cloud" || true; }

as_owner() {
  local command=$1
  shift
  "${obscura[@]}" owner "$command" --home "$household" --passphrase-file "$household/passphrase" "$@"
}

# invite: a setup text, and an owner who waits for the camera. Sets setup_text and inviting.
invite() {
  as_owner pair --broker "mqtt://127.0.0.1:$broker_port" >"$household/setup" 2>"$household/pair.log" &
  inviting=$!
  await 30 "$inviting" "$household/setup" '^[^ ]+$'
  setup_text=$(grep -Em1 '^[^ ]+$' "$household/setup")
}

# judge_clips: the owner opens and verifies every clip, and ffprobe plays what comes out. Sets judged: what they saw of the newest.
judge_clips() {
  local opened=$household/opened clip
  rm -rf "$opened"
  as_owner list >"$household/list.log" || die "obscura owner list"
  as_owner open --out "$opened" >"$household/open.log" || die "obscura owner open"
  as_owner verify >"$household/verify.log" || die "obscura owner verify: $(cat "$household/verify.log")"
  clip=$(find "$opened" -name '*.mp4' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
  [ -n "$clip" ] || die "no clip came out: $(cat "$household/list.log")"
  # To count the pictures it decodes them all.
  ffprobe -v error -select_streams v:0 -count_frames -of default=noprint_wrappers=1 \
    -show_entries stream=codec_name,width,height,nb_read_frames:format=duration "$clip" >"$household/ffprobe.log" 2>"$household/complaints.log"
  [ ! -s "$household/complaints.log" ] || die "ffprobe complains: $(head -n 3 "$household/complaints.log")"
  [ "$(seen nb_read_frames)" -ge 30 ] || die "a clip of $(seen nb_read_frames) pictures"
  judged="clip $(basename "$clip" .mp4 | cut -c1-8): $(seen codec_name) $(seen width)x$(seen height), $(seen nb_read_frames) pictures, $(seen duration) s; owner verify: $(grep -o '[0-9]* objects opened.*' "$household/verify.log")"
}

seen() { sed -n "s/^$1=//p" "$household/ffprobe.log"; }
