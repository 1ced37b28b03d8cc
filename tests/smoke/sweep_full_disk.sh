#!/usr/bin/env bash
# A disk that fills up while a sweep runs stops it with one clear error, soon, and nothing that was finished is lost:
# with room again the same command goes on. Needs root for a small file system of its own; skipped elsewhere.
# Usage: sweep_full_disk.sh PATH_OF_INFOSCISSORS
set -euo pipefail
infoscissors=$(realpath "$1")
# shellcheck source=tests/smoke/harness.sh
. "$(dirname "$(realpath "$0")")/harness.sh"
mkdir disk
mount -t tmpfs -o size=24m tmpfs disk 2>/dev/null || skip 'a file system cannot be mounted here'
undo() {
  umount disk
}

cat >sweep.toml <<'TOML'
name = "disk"
seeds = [0, 1, 2]
attacks = ["pmc(labels=20,steps=20)"]
[base.data]
name = "synthetic"
channels = 1
train = 64
auxiliary = 64
validation = 32
test = 64
[base.model]
width = 0.25
[base.train]
epochs = 1
batch = 32
[base.runtime]
precision = "fp32"
[[defenses]]
spec = "none"
TOML

sweep() {
  local status=0
  timeout 60 "$infoscissors" -q sweep sweep.toml --out disk/out --jobs 1 >output.txt 2>&1 || status=$?
  echo "$status"
}
fill() {
  dd if=/dev/zero of=disk/filler bs=4k count="${1:-100000}" 2>/dev/null || true
}

"$infoscissors" -q sweep <(sed 's/\[0, 1, 2\]/[0]/' sweep.toml) --out disk/out --jobs 1 >/dev/null
finished=$(ls disk/out/runs)

# Full before a run starts.
fill
check 'a full disk fails' test "$(sweep)" -eq 1
check 'it says so' grep -qE 'No space left on device|make room and repeat the command' output.txt
# Full in the middle of one: room enough for the start, not for a checkpoint.
rm disk/filler
used=$(du -sk disk/out | cut -f 1)
fill $(((24 * 1024 - 3 * used) / 4))
(
  for _ in $(seq 2000); do
    [ "$(find disk/out/runs -mindepth 1 -maxdepth 1 | wc -l)" -le 1 ] || break
    sleep 0.01
  done
  cat /dev/zero >disk/more 2>/dev/null || true
) &
filler=$!
check 'one that fills up fails' test "$(sweep)" -eq 1
wait "$filler"
check 'it says that, too' grep -q 'make room and repeat the command' output.txt
check 'the finished run is still there' test -s "disk/out/runs/$finished/metrics.json"
check 'no run is called failed for it' test -z "$(find disk/out -name error.json)"
rm -f disk/filler disk/more
check 'with room it goes on' test "$(sweep)" -eq 0
check 'to the end' grep -q '^disk: 3 of 3 runs done' output.txt
finish
