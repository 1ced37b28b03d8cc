#!/usr/bin/env bash
# One network trained by two processes, as torchrun starts them: the accuracy of one process, nothing written by the
# second, clear ends where one is missing or dies.
# Usage: ranks.sh PATH_OF_INFOSCISSORS
set -euo pipefail
infoscissors=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir first second

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
epochs = 2
batch = 16
[runtime]
threads = 1
precision = "fp32"
TOML

passed=0
fail() {
  echo "$1"
  echo "$passed passed, 1 failed"
  exit 1
}
pass() { passed=$((passed + 1)); }

free_port() {
  local port
  while true; do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# rank RANK SIZE COMMAND...
rank() {
  local rank=$1 size=$2
  shift 2
  RANK=$rank WORLD_SIZE=$size LOCAL_RANK=$rank LOCAL_WORLD_SIZE=$size MASTER_ADDR=127.0.0.1 MASTER_PORT=$port "$@"
}

port=$(free_port)
(cd second && rank 1 2 "$infoscissors" train ../run.toml --out run --ranks env >stdout 2>stderr) &
other=$!
if ! (cd first && rank 0 2 "$infoscissors" train ../run.toml --out run --ranks env >stdout 2>stderr); then
  wait "$other" || true
  if grep -q "made without Gloo" first/stderr; then
    echo "built without Gloo"
    exit 77
  fi
  cat first/stderr second/stderr
  fail "rank 0 failed"
fi
wait "$other" || { cat second/stderr; fail "rank 1 failed"; }
grep -q "2 ranks (torchrun), 1 thread" first/stderr || { cat first/stderr; fail "rank 0 does not say that it is one of 2"; }
pass
[ -f first/run/checkpoint.safetensors ] || fail "rank 0 wrote no checkpoint"
[ ! -e second/run ] || fail "rank 1 wrote a run directory"
if [ -s second/stdout ] || [ -s second/stderr ]; then
  cat second/stdout second/stderr
  fail "rank 1 printed something"
fi
pass

"$infoscissors" -q train run.toml --out alone >alone.txt
# The last digits may differ: sums were taken in another order.
together=$(sed -n 's/^ *cross_entropy *//p' first/stdout) alone=$(sed -n 's/^ *cross_entropy *//p' alone.txt)
awk -v a="$together" -v b="$alone" 'BEGIN { exit !(a != "" && b != "" && (a - b) ^ 2 < (1e-2 * b) ^ 2) }' ||
  fail "two ranks end with cross-entropy '$together', one process with '$alone'"
pass

# Trained already: both say so and end.
port=$(free_port)
(cd second && rank 1 2 "$infoscissors" train ../run.toml --out run --ranks env >stdout 2>stderr) &
other=$!
(cd first && rank 0 2 "$infoscissors" train ../run.toml --out run --ranks env >stdout 2>stderr) || fail "trained again"
wait "$other" || fail "rank 1 failed where there was nothing to do"
pass

# Another configuration on one rank.
port=$(free_port)
(cd second && rank 1 2 "$infoscissors" train ../run.toml --out run --ranks env --seed 3 >stdout 2>stderr) &
other=$!
status=0
rank 0 2 "$infoscissors" train run.toml --out differ --ranks env >stdout 2>stderr || status=$?
[ "$status" -eq 2 ] || { cat stderr; fail "rank 0 ended with $status instead of 2"; }
grep -q "error: rank 1 was started with another configuration than rank 0" stderr || { cat stderr; fail "not named"; }
wait "$other" && fail "rank 1 trained all the same"
pass

# No launcher; and a launcher nobody was told to obey.
status=0
"$infoscissors" train run.toml --out none --ranks env >stdout 2>stderr || status=$?
[ "$status" -eq 2 ] || fail "without a launcher: status $status instead of 2"
grep -q "error: --ranks env: no launcher set its variables" stderr || { cat stderr; fail "no launcher: not said"; }
rank 0 2 "$infoscissors" train run.toml --out single >stdout 2>stderr || { cat stderr; fail "alone beside a launcher"; }
grep -q "warning: torchrun started this as rank 0 of 2, but it trains for itself" stderr || { cat stderr; fail "no warning"; }
pass

# One of two dies.
port=$(free_port)
(cd second && rank 1 2 exec "$infoscissors" train ../run.toml --set train.epochs=100000 --out run --ranks env >stdout 2>stderr) &
other=$!
rank 0 2 "$infoscissors" train run.toml --set train.epochs=100000 --out dies --ranks env >stdout 2>stderr &
first=$!
for _ in $(seq 1200); do
  [ ! -e dies/checkpoint.safetensors ] || break
  sleep 0.05
done
kill -9 "$other"
status=0
wait "$first" || status=$?
[ "$status" -eq 1 ] || { cat stderr; fail "rank 0 ended with $status instead of 1"; }
[ "$(grep -c "^error: rank 0 of 2 lost the other ranks" stderr)" -eq 1 ] || { cat stderr; fail "rank 0 does not say why"; }
pass

echo "$passed passed, 0 failed"
