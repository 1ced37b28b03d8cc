#!/usr/bin/env bash
# Loads a sweep's page in headless Chromium, offline, at phone and desktop width.  Usage: report_page.sh BINARY
# Fails for a message on the console (which a broken policy or a missing file would write), for a page wider than its
# window, and where pressing a column's head does not sort. Exit status 77: Chromium or gnuplot is not installed.
set -euo pipefail

infoscissors=$(realpath "$1")
# shellcheck source=tests/smoke/harness.sh
. "$(dirname "$(realpath "$0")")/harness.sh"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
[ -n "$browser" ] || skip 'needs chromium'
command -v gnuplot >/dev/null || skip 'needs gnuplot'

cat >small.toml <<'END'
attacks = ["ka(budget=40,epochs=1)", "ka(budget=20,epochs=1)", "pmc(labels=20)"]
[data]
name = "synthetic"
image_size = 16
train = 64
auxiliary = 64
validation = 32
test = 64
[model]
backbone = "resnet-small"
width = 0.25
[train]
epochs = 1
batch = 32
[evaluate]
images = 8
samples = 4
[runtime]
threads = 1
precision = "fp32"
END
for seed in 0 1; do
  for defense in none 'an(scale=0.3)' 'an(scale=3)' 'infoscissors(input=0.2,prediction=0.2,psi_width=4)'; do
    "$infoscissors" run small.toml --out "runs/$defense $seed" --seed "$seed" --set "defense=$defense" --quiet >/dev/null
  done
done
"$infoscissors" mi "runs/none 0" --images 90 --columns 4 --permutations 0 --estimator 'l1out(epochs=1)' --json 2>/dev/null \
  >"runs/none 0/mi.json"
"$infoscissors" report runs --out report.html

# The page stands in a frame of the wanted width; the page around it looks into it and writes what it found.
cat >frame.html <<'END'
<!doctype html><title>frame</title><body style="margin:0"><script>
const [width, file] = location.hash.slice(1).split(",");
const frame = document.createElement("iframe");
frame.width = width; frame.height = 900; frame.src = file;
frame.onload = () => {
  const page = frame.contentDocument, root = page.documentElement;
  const table = page.getElementById("means-table"), column = [...table.tHead.rows[0].cells].findIndex(c => c.textContent.startsWith("Accuracy"));
  const values = () => [...table.tBodies[0].rows].map(row => parseFloat(row.cells[column].textContent));
  const button = table.tHead.rows[0].cells[column].querySelector("button");
  button.click(); const up = values(); button.click(); const down = values();
  const sorted = up.every((v, i) => i === 0 || up[i - 1] <= v) && down.every((v, i) => i === 0 || down[i - 1] >= v);
  document.body.textContent = `width ${root.scrollWidth} of ${frame.clientWidth}, figures ${page.querySelectorAll("figure svg").length}, sorted ${sorted}`;
};
document.body.append(frame);
</script>
END

for width in 390 1280; do
  "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-sync --disable-web-security --allow-file-access-from-files --user-data-dir="$work/profile-$width" \
    --enable-logging=stderr --virtual-time-budget=5000 --window-size=1400,1000 --dump-dom \
    "file://$work/frame.html#$width,report.html" >dom.html 2>messages.txt || give_up 'the browser ends' messages.txt
  found=$(grep -o 'width [^<]*' dom.html || echo nothing)
  check "$width px: the console is empty" bash -c '! grep CONSOLE messages.txt'
  # 4, 5, 7, budget, plane and a grid.
  check "$width px: it has 6 figures and sorts: $found" grep -qE '^width [0-9]+ of [0-9]+, figures 6, sorted true$' <<<"$found"
  read -r _ wide _ window _ <<<"$found"
  check "$width px: it is not wider than its window: $found" test "$wide" -le "${window%,}"
done
finish
