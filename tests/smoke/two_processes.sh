#!/usr/bin/env bash
# A trained network between two processes with mutual TLS: the same answers as in one process, everybody who is not allowed
# turned away by name, and an end that is clean however the server ends.
# Usage: two_processes.sh PATH_OF_INFOSCISSORS
set -uo pipefail
infoscissors=$(realpath "$1")
# shellcheck source=tests/smoke/harness.sh
. "$(dirname "$(realpath "$0")")/harness.sh"

# ends_with STATUS PATTERN COMMAND...: whether it ends with that status and one line of error that has the pattern.
ends_with() {
  local status=$1 pattern=$2 got
  timeout 60 "${@:3}" </dev/null >out.txt 2>err.txt
  got=$?
  echo "status $got instead of $status, or no '$pattern' in:"
  cat err.txt
  [ "$got" -eq "$status" ] && grep -qE "^error: .*($pattern)" err.txt && [ "$(grep -c '^error: ' err.txt)" -eq 1 ]
}
# refused WHAT STATUS PATTERN COMMAND...
refused() {
  check "$1" ends_with "${@:2}"
}

# serve NAME OPTION...: starts a server with its log in NAME.log and sets $pid, $grpc and $rest when it is ready.
serve() {
  local name=$1
  shift
  "$infoscissors" serve --threads 1 "$@" </dev/null >"$name.out" 2>"$name.log" &
  pid=$!
  processes+=("$pid")
  await 30 grep -q '^ready .*grpc=' "$name.log" "$name.out" || give_up "$name: the server is not ready" "$name.log"
  grpc=$(sed -n 's/^ready .*grpc=\([^ ]*\).*/\1/p' "$name.log" "$name.out")
}

# answered NAME COUNT: whether the server's log has so many requests.
answered() {
  [ "$(grep -c '"event":"request"' "$1.log")" -ge "$2" ]
}

# accuracy FILE, answers FILE: what infer --json said.
accuracy() {
  sed -n 's/^  "accuracy": \([0-9.e-]*\),*$/\1/p' "$1"
}
answers() {
  sed -n '/^  "results": \[/,/^  \]/p' "$1" | grep -v probability
}

cat >run.toml <<'TOML'
defense = "infoscissors(input=0.1,prediction=0.1,psi_width=4)+an(scale=0.05)"
[data]
name = "synthetic"
train = 800
auxiliary = 64
validation = 64
[model]
backbone = "resnet-small"
width = 0.25
[train]
epochs = 3
batch = 32
[runtime]
threads = 1
precision = "fp32"
TOML
"$infoscissors" -q train run.toml --out run >/dev/null || exit 1
"$infoscissors" -q export run --out bundle --name demo >/dev/null || exit 1
"$infoscissors" -q pki init pki >/dev/null && "$infoscissors" -q pki issue pki server --server --host 127.0.0.1 >/dev/null &&
  "$infoscissors" -q pki issue pki elsewhere --server --host infer.example.org >/dev/null &&
  "$infoscissors" -q pki issue pki camera --device >/dev/null && "$infoscissors" -q pki issue pki lost --device >/dev/null &&
  "$infoscissors" -q pki issue pki stranger --device >/dev/null && "$infoscissors" -q pki revoke pki lost >/dev/null &&
  "$infoscissors" -q pki init other >/dev/null && "$infoscissors" -q pki issue other camera --device >/dev/null || exit 1
printf '[models.demo]\ndevices = ["camera", "lost"]\n' >access.toml

tls=(--tls-cert pki/server.pem --tls-key pki/server.key --client-ca pki/ca.pem --crl pki/crl.pem --access access.toml)
# infer NAME OPTION...: as the device NAME of the authority, images of the test part; the seed lets the noise be compared.
infer() {
  local name=$1
  shift
  "$infoscissors" infer --threads 1 --seed 7 --bundle bundle/device --dataset synthetic --limit 300 --json \
    --tls-ca pki/ca.pem --cert "pki/$name.pem" --key "pki/$name.key" "$@"
}
export -f infer
export infoscissors

# In one process, and in two.
"$infoscissors" infer --threads 1 --seed 7 --bundle bundle/device --local bundle/server --dataset synthetic --limit 300 \
  --json >local.json 2>local.err || { cat local.err; exit 1; }
serve main --bundle bundle/server --grpc 127.0.0.1:0 --rest 127.0.0.1:0 "${tls[@]}"
main=$grpc main_pid=$pid
check 'a device with its certificate is answered' bash -c "infer camera --server $main >remote.json 2>remote.err || { cat remote.err; false; }"
check 'the accuracy is worth comparing' awk -v a="$(accuracy local.json)" 'BEGIN {exit !(a > 0.3)}'
check 'the accuracy is that of one process' [ "$(accuracy local.json)" = "$(accuracy remote.json)" ]
check 'every picture has the classes it has in one process' cmp <(answers local.json) <(answers remote.json)
check 'that compares something' [ "$(answers local.json | wc -l)" -ge 300 ]
for transport in fp16 int8; do
  check "$transport is answered" bash -c "infer camera --server $main --transport $transport >$transport.json 2>/dev/null"
  check "$transport costs no more than two of a hundred pictures" awk -v a="$(accuracy local.json)" \
    -v b="$(accuracy "$transport.json")" 'BEGIN {exit !(b > 0 && a - b <= 0.02)}'
done
sent() {
  sed -n 's/^  "bytes_sent": \([0-9]*\),*$/\1/p' "$1"
}
check 'int8 sends less than a third of the bytes' [ "$(($(sent int8.json) * 3))" -lt "$(sent remote.json)" ]

# Who is not allowed.
device=("$infoscissors" infer --threads 1 --bundle bundle/device --dataset synthetic --limit 2 --attempts 1)
mine=(--tls-ca pki/ca.pem --cert pki/camera.pem --key pki/camera.key)
refused 'plain text' 1 'unavailable' "${device[@]}" --server "$main"
refused 'no certificate' 1 'unavailable' "${device[@]}" --server "$main" --tls-ca pki/ca.pem
refused 'a certificate of another authority' 1 'unavailable' \
  "${device[@]}" --server "$main" --tls-ca pki/ca.pem --cert other/camera.pem --key other/camera.key
refused 'a revoked certificate' 1 'unavailable' \
  "${device[@]}" --server "$main" --tls-ca pki/ca.pem --cert pki/lost.pem --key pki/lost.key
refused "a server's certificate in the place of a device's" 1 'unavailable' \
  "${device[@]}" --server "$main" --tls-ca pki/ca.pem --cert pki/elsewhere.pem --key pki/elsewhere.key
refused 'a device that the access list does not name' 1 'permission' \
  "${device[@]}" --server "$main" --tls-ca pki/ca.pem --cert pki/stranger.pem --key pki/stranger.key
refused 'a server of another authority' 1 'unavailable' \
  "${device[@]}" --server "$main" --tls-ca other/ca.pem --cert pki/camera.pem --key pki/camera.key
refused "a key that is not the certificate's" 2 'camera.key|lost.key' \
  "${device[@]}" --server "$main" --tls-ca pki/ca.pem --cert pki/camera.pem --key pki/lost.key
serve elsewhere --bundle bundle/server --grpc 127.0.0.1:0 --rest '' --tls-cert pki/elsewhere.pem \
  --tls-key pki/elsewhere.key --client-ca pki/ca.pem
refused 'a server for another host' 1 'unavailable' "${device[@]}" --server "$grpc" "${mine[@]}"
kill "$pid"

# What does not belong together.
cat run.toml >other.toml
"$infoscissors" -q train other.toml --seed 1 --out other-run >/dev/null &&
  "$infoscissors" -q export other-run --out other-bundle --name demo >/dev/null || exit 1
refused 'a device of another version' 1 'not_found' \
  "$infoscissors" infer --threads 1 --bundle other-bundle/device --dataset synthetic --limit 2 --server "$main" "${mine[@]}"
refused "the server's half on a device" 1 'bundle/server' \
  "$infoscissors" infer --threads 1 --bundle bundle/server --dataset synthetic --server "$main" "${mine[@]}"
refused "the device's half on a server" 1 'bundle/device' \
  "$infoscissors" serve --bundle bundle/device --grpc 127.0.0.1:0 --rest ''
cp -r bundle damaged
printf '\x01' | dd of=damaged/server/encoder.pt bs=1 seek=1000 conv=notrunc status=none
refused 'a bundle with a changed byte' 1 'encoder.pt' \
  "$infoscissors" serve --bundle damaged/server --grpc 127.0.0.1:0 --rest ''
refused 'a port that is taken' 1 "${main##*:}" \
  "$infoscissors" serve --bundle bundle/server --grpc "$main" --rest ''

# A certificate that is revoked while the server runs.
"$infoscissors" -q pki revoke pki stranger >/dev/null
for _ in $(seq 100); do
  "${device[@]}" --server "$main" --tls-ca pki/ca.pem --cert pki/stranger.pem --key pki/stranger.key >/dev/null 2>err.txt
  if ! grep -q permission err.txt; then break; fi
  sleep 0.1
done
check 'a revocation reaches the running server' grep -q unavailable err.txt

# A camera that never stops: one picture after the other on standard input.
"$infoscissors" -q data info synthetic --contact-sheet sheet.png >/dev/null || exit 1
film() {
  while cat sheet.png; do :; done 2>/dev/null |
    "$infoscissors" infer --threads 1 --bundle bundle/device --server "$1" "${mine[@]}" --deadline-ms 3000 "${@:2}" -
}

# Killed in the middle, the server leaves a device with one clear error within the deadline.
serve victim --bundle bundle/server --grpc 127.0.0.1:0 --rest '' "${tls[@]}"
victim=$grpc
film "$victim" >killed.txt 2>killed.err &
client=$!
check 'the device is being answered' await 30 answered victim 5
kill -9 "$pid"
begin=$SECONDS
wait "$client"
status=$?
check 'a device whose server died says so' [ "$status" -ne 0 ]
check 'in one line' grep -qE '^error: .*(unavailable|no answer within)' killed.err
check 'soon' [ $((SECONDS - begin)) -le 30 ]

# One that dies under a request and comes back within the deadline is not even noticed.
serve frozen --bundle bundle/server --grpc "$victim" --rest '' "${tls[@]}"
kill -STOP "$pid"
infer camera --server "$victim" --deadline-ms 60000 --attempts 100 >again.json 2>again.err &
client=$!
sleep 1
kill -9 "$pid"
wait "$pid" 2>/dev/null
serve victim2 --bundle bundle/server --grpc "$victim" --rest '' "${tls[@]}"
check 'a server that came back answers the rest' wait "$client"
check 'and nothing of it is wrong' cmp <(answers local.json) <(answers again.json)

# SIGTERM: what was accepted is answered, what comes later refused, and the server ends by itself with status 0.
film "$victim" --concurrency 4 --attempts 1 >drained.txt 2>drained.err &
client=$!
check 'the device is being answered again' await 30 answered victim2 220
kill -TERM "$pid"
check 'SIGTERM ends the server with status 0' wait "$pid"
wait "$client"
check 'the device is told' grep -q '^error: .*unavailable' drained.err
kill -TERM "$main_pid"
check 'an idle server ends with status 0, too' wait "$main_pid"
check 'no log has a warning of its own making' bash -c "! grep -h '\"level\":\"error\"' main.log victim2.log"

finish
