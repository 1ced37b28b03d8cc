# shellcheck shell=bash
# Sourced by the other scripts: settings and the few functions they share. Leaves the shell in the project's root.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# Compiler processes to run at once: one a core, while there are 2 GB of memory for each of them.
job_count() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ {print int($2 / 2000000)}' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  echo "${INFOSCISSORS_JOBS:-$((cores < memory ? cores : memory))}"
}

# say TEXT: a headline in the script's own output.
say() {
  echo "== $*"
}

# usage_of SCRIPT: prints the comment at the script's head.
usage_of() {
  awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "$1"
}

# build_preset PRESET [TARGET...]: configures and builds; what the tools say is shown only where they fail.
build_preset() {
  local preset=$1 start=$SECONDS log=build/$1.log target targets=()
  shift
  for target in "$@"; do targets+=(--target "$target"); done
  mkdir -p build
  say "building ($preset)"
  if ! { cmake --preset "$preset" && cmake --build --preset "$preset" -j "$(job_count)" "${targets[@]}"; } >"$log" 2>&1; then
    grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "$log" | tail -n 200 >&2
    echo "the $preset build failed, see $log" >&2
    return 1
  fi
  echo "built in $((SECONDS - start)) s"
}
