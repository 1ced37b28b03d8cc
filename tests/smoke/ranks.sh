#!/usr/bin/env bash
# One network trained by two processes, as torchrun starts them: the accuracy of one process, nothing written by the
# second, clear ends where one is missing or dies.
# Usage: ranks.sh PATH_OF_INFOSCISSORS
set -euo pipefail
infoscissors=$(realpath "$1")
# shellcheck source=tests/smoke/harness.sh
. "$(dirname "$(realpath "$0")")/harness.sh"
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

# rank RANK SIZE COMMAND...
rank() {
  local rank=$1 size=$2
  shift 2
  RANK=$rank WORLD_SIZE=$size LOCAL_RANK=$rank LOCAL_WORLD_SIZE=$size MASTER_ADDR=127.0.0.1 MASTER_PORT=$port "$@"
}

# second OPTION...: starts rank 1 in a directory of its own, where it should leave nothing.
second() {
  port=$(free_port)
  (cd second && rank 1 2 exec "$infoscissors" train ../run.toml --out run --ranks env "$@" >stdout 2>stderr) &
  other=$!
  processes+=("$other")
}
# first OPTION...: runs rank 0 and sets $status.
first() {
  status=0
  (cd first && rank 0 2 "$infoscissors" train ../run.toml --ranks env "$@" >stdout 2>stderr) || status=$?
}

second
first --out run
! grep -q 'made without Gloo' first/stderr || skip 'built without Gloo'
check 'rank 0 trains' test "$status" -eq 0
check 'rank 1 trains' wait "$other"
check 'rank 0 says that it is one of 2' grep -q '2 ranks (torchrun), 1 thread' first/stderr
check 'rank 0 writes the checkpoint' test -f first/run/checkpoint.safetensors
check 'rank 1 writes nothing' test ! -e second/run
check 'rank 1 prints nothing' test ! -s second/stdout -a ! -s second/stderr

"$infoscissors" -q train run.toml --out alone >alone.txt
# The last digits may differ: sums were taken in another order.
together=$(sed -n 's/^ *cross_entropy *//p' first/stdout) alone=$(sed -n 's/^ *cross_entropy *//p' alone.txt)
check "the cross-entropy of two ranks ($together) is that of one process ($alone)" \
  awk -v a="$together" -v b="$alone" 'BEGIN { exit !(a != "" && b != "" && (a - b) ^ 2 < (1e-2 * b) ^ 2) }'

second
first --out run
check 'what is trained already is not trained again' test "$status" -eq 0
check 'by neither of them' wait "$other"

second --seed 3
first --out differ
check 'two configurations are refused' test "$status" -eq 2
check 'by name' grep -q 'error: rank 1 was started with another configuration than rank 0' first/stderr
ended=0
wait "$other" || ended=$?
check 'by both' test "$ended" -ne 0

status=0
"$infoscissors" train run.toml --out none --ranks env >stdout 2>stderr || status=$?
check 'without a launcher' test "$status" -eq 2
check 'it says so' grep -q 'error: --ranks env: no launcher set its variables' stderr
status=0
rank 0 2 "$infoscissors" train run.toml --out single >stdout 2>stderr || status=$?
check 'a launcher nobody was told to obey' test "$status" -eq 0
check 'is warned of' grep -q 'warning: torchrun started this as rank 0 of 2, but it trains for itself' stderr

# One of two dies.
second --set train.epochs=100000
(first --set train.epochs=100000 --out dies; exit "$status") &
survivor=$!
check 'the training begins' await 60 test -e first/dies/checkpoint.safetensors
kill -9 "$other"
status=0
wait "$survivor" || status=$?
check 'rank 0 ends, too' test "$status" -eq 1
check 'and says why' grep -q '^error: rank 0 of 2 lost the other ranks' first/stderr
finish
