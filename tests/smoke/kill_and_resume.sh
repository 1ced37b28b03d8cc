#!/usr/bin/env bash
# kill -9 at any moment loses at most what came after the last checkpoint: the same command goes on and ends, on one
# thread in fp32, with the same network bit for bit as a training that nobody disturbed.
# Usage: kill_and_resume.sh PATH_OF_INFOSCISSORS
set -euo pipefail
infoscissors=$(realpath "$1")
# shellcheck source=tests/smoke/harness.sh
. "$(dirname "$(realpath "$0")")/harness.sh"

cat >run.toml <<'TOML'
defense = "infoscissors(input=0.3,prediction=0.2,psi_width=4)"
[data]
name = "synthetic"
train = 256
auxiliary = 64
validation = 32
[model]
width = 0.25
[train]
epochs = 6
batch = 16
[runtime]
threads = 1
precision = "fp32"
TOML

"$infoscissors" -q train run.toml --out whole >/dev/null

for _ in 1 2 3; do
  "$infoscissors" -q train run.toml --out killed >/dev/null 2>&1 &
  process=$!
  # As soon as one more checkpoint is there, in the middle of the epoch that follows.
  before=$(stat -c %Y.%i killed/checkpoint.safetensors 2>/dev/null || echo none)
  for _ in $(seq 600); do
    now=$(stat -c %Y.%i killed/checkpoint.safetensors 2>/dev/null || echo none)
    [ "$now" = "$before" ] || break
    kill -0 "$process" 2>/dev/null || break
    sleep 0.02
  done
  kill -9 "$process" 2>/dev/null || true
  wait "$process" 2>/dev/null || true
done
"$infoscissors" -q train run.toml --out killed >/dev/null

# The payload: the header holds the seconds the training took.
payload() {
  local header
  header=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
  tail -c "+$((9 + header))" "$1" | sha256sum
}
check 'both trainings end' test -s whole/checkpoint.safetensors -a -s killed/checkpoint.safetensors
check 'the resumed training ends with the same network' \
  test "$(payload whole/checkpoint.safetensors)" = "$(payload killed/checkpoint.safetensors)"
finish
