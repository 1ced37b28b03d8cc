# shellcheck shell=bash
# Sourced by the shell tests: a directory of the test's own as the working directory, checks that are counted, the
# processes it started ended with it.
# shellcheck disable=SC2034  # for the tests
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
work=$(mktemp -d)
processes=()
passed=0 failed=0

# A test that has more to undo defines its own undo.
undo() { :; }
clean_up() {
  local process
  undo
  for process in "${processes[@]}"; do kill -9 "$process" 2>/dev/null || true; done
  rm -rf "$work"
}
trap clean_up EXIT
cd "$work" || exit 1

# skip WHY: nothing can be checked on this machine.
skip() {
  echo "skipped: $1"
  exit 77
}

# check WHAT COMMAND...: the command must succeed; what it printed is shown where it does not.
check() {
  if "${@:2}" >check.txt 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $1"
    sed 's/^/  | /' check.txt
  fi
}

# finish: prints the counts and ends.
finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] || exit 1
  exit 0
}

# give_up WHAT FILE...: ends with one more failure; what the files hold is shown.
give_up() {
  failed=$((failed + 1))
  echo "FAILED: $1"
  shift
  [ $# -eq 0 ] || tail -n 30 "$@" 2>/dev/null | sed 's/^/  | /'
  finish
}

# await SECONDS COMMAND...: repeats the command until it succeeds.
await() {
  local end=$((SECONDS + $1))
  until "${@:2}" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.05
  done
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
