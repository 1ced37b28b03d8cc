#!/usr/bin/env bash
# A sweep whose whole process group is killed 20 times at random moments, and a few times interrupted, ends with the
# same figures as one that nobody disturbed: nothing is lost, nothing is counted twice, no claim is left behind.
# Usage: sweep_kill.sh PATH_OF_INFOSCISSORS [SEED]
set -euo pipefail
infoscissors=$(realpath "$1")
RANDOM=${2:-1}
# shellcheck source=tests/smoke/harness.sh
. "$(dirname "$(realpath "$0")")/harness.sh"

cat >sweep.toml <<'TOML'
name = "kill"
seeds = [0, 1]
attacks = ["ka(decoder=linear,budget=40,epochs=1,steps=20)", "rmle(steps=20)", "pmc(labels=20,steps=20)"]
[base.data]
name = "synthetic"
channels = 1
train = 128
auxiliary = 64
validation = 32
test = 64
[base.model]
width = 0.25
[base.train]
epochs = 3
batch = 16
[base.evaluate]
images = 8
samples = 2
[base.runtime]
precision = "fp32"
[[defenses]]
spec = "none"
[[defenses]]
spec = "an"
strengths = [0.1, 1]
[[defenses]]
spec = "infoscissors(input={},psi_width=4)"
strengths = [0.3]
TOML

"$infoscissors" -q sweep sweep.toml --out whole --jobs 2 >/dev/null

# setsid: a process group of the sweep's own, which ends with one signal, children and all.
for round in $(seq 20); do
  setsid "$infoscissors" -q sweep sweep.toml --out killed --jobs 2 >/dev/null 2>&1 &
  group=$!
  sleep "$((RANDOM % 2)).$(printf '%03d' $((RANDOM % 1000)))"
  signal=KILL
  [ $((round % 5)) -ne 0 ] || signal=INT
  kill -s "$signal" -- "-$group" 2>/dev/null || true
  wait "$group" 2>/dev/null || true
done
"$infoscissors" -q sweep sweep.toml --out killed --jobs 2 >/dev/null

# Every figure of every run; what was measured of time, memory and machine is left out, and so is a source's path.
figures() {
  local file
  for file in "$1"/runs/*/metrics.json; do
    basename "$(dirname "$file")"
    grep -vE '"(seconds|train_seconds|model_from|commit|version)":' "$file"
  done
}
figures whole >whole.txt
figures killed >killed.txt
check 'eight runs' test "$(find killed/runs -mindepth 1 -maxdepth 1 | wc -l)" -eq 8
check 'the same figures' diff whole.txt killed.txt
check 'the same pictures' diff <(cd whole/runs && sha256sum ./*/images/*) <(cd killed/runs && sha256sum ./*/images/*)
check 'no claim is left' test -z "$(ls killed/claims)"
check 'nothing failed' test -z "$(find killed -name error.json)"
check 'no half-written file is read as a whole one' "$infoscissors" sweep status killed --json
finish
