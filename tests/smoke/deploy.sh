#!/usr/bin/env bash
# What deploy/ holds, checked as far as this machine can: the server accepts its own configuration and refuses a changed
# one, systemd the unit, HAProxy its configuration, a YAML parser the manifests.
# Usage: deploy.sh PATH_OF_INFOSCISSORS
set -uo pipefail
infoscissors=$(realpath "$1")
# shellcheck source=tests/smoke/harness.sh
. "$(dirname "$(realpath "$0")")/harness.sh"
have() {
  command -v "$1" >/dev/null || { echo "$1 is not here: not checked"; return 1; }
}

# A bundle and certificates where the configuration expects them.
printf '[data]\nname = "synthetic"\ntrain = 64\nauxiliary = 64\nvalidation = 32\n[model]\nwidth = 0.25\n[train]\nepochs = 1\n' >run.toml
"$infoscissors" -q train run.toml --threads 1 --precision fp32 --out run >/dev/null || exit 1
mkdir -p etc/bundles
"$infoscissors" -q export run --out etc/bundles/demo --name demo >/dev/null || exit 1
cp "$root"/deploy/*.toml etc
"$infoscissors" -q pki init etc/pki >/dev/null
for name in server:--server front:--device probe:--device; do
  "$infoscissors" -q pki issue etc/pki "${name%:*}" "${name#*:}" >/dev/null || exit 1
done
check 'the server accepts deploy/serve.toml' "$infoscissors" serve --config etc/serve.toml --check-config
sed 's/^max_batch = .*/max_batch = 0/' etc/serve.toml >etc/bad.toml
check 'and says what is wrong with a changed one' bash -c "'$infoscissors' serve --config etc/bad.toml --check-config 2>&1 | grep '^error: .*max_batch'"

# The same configuration within the Kubernetes manifest, with this machine's paths.
mkdir pods
awk '/^  serve.toml: \|/ {file = "pods/serve.toml"; next} /^  access.toml: \|/ {file = "pods/access.toml"; next}
     file && /^    / {print substr($0, 5) >file} file && !/^    / {file = ""}' "$root/deploy/kubernetes/config.yaml"
sed -i "s#/etc/infoscissors-pki/#$work/etc/pki/#; s#/bundles/#$work/etc/bundles/#" pods/serve.toml
check 'the server accepts the configuration of the pods' "$infoscissors" serve --config pods/serve.toml --check-config

if have systemd-analyze; then
  sed "s#/usr/bin/infoscissors#$infoscissors#" "$root/deploy/systemd/infoscissors-serve.service" >infoscissors-serve.service
  check 'systemd accepts the unit' systemd-analyze verify --man=no "$work/infoscissors-serve.service"
  check 'and finds nothing exposed that need not be' systemd-analyze security --offline=yes --threshold=20 "$work/infoscissors-serve.service"
fi

PATH=$PATH:/usr/sbin
if have haproxy; then
  cat etc/pki/front.pem etc/pki/front.key >etc/pki/both.pem
  touch etc/trusted-sites.lst
  sed "s#/etc/haproxy/pki/front.pem#$work/etc/pki/both.pem#g; s#/etc/haproxy#$work/etc#g" \
    "$root/deploy/haproxy/haproxy.cfg" >haproxy.cfg
  check 'HAProxy accepts its configuration' haproxy -c -f haproxy.cfg
fi

if /usr/bin/python3 -c 'import yaml' 2>/dev/null; then
  check 'every manifest is YAML, and the list of them is whole' /usr/bin/python3 - "$root/deploy/kubernetes" <<'PY'
import pathlib, sys, yaml
folder = pathlib.Path(sys.argv[1])
documents = {f.name: list(yaml.safe_load_all(f.read_text())) for f in folder.glob("*.yaml")}
listed = documents.pop("kustomization.yaml")[0]["resources"]
documents.pop("sweep-job.yaml")  # trains, and is applied by itself
assert sorted(listed) == sorted(documents), (listed, sorted(documents))
everything = [d for all_of_it in documents.values() for d in all_of_it]
assert all(d["apiVersion"] and d["kind"] and d["metadata"]["name"] for d in everything)
pod = next(d for d in everything if d["kind"] == "Deployment")["spec"]["template"]["spec"]
server = pod["containers"][0]
config = next(d for d in everything if d["kind"] == "ConfigMap")
volumes = {v["name"] for v in pod["volumes"]}
assert {m["name"] for m in server["volumeMounts"]} == volumes
assert next(v for v in pod["volumes"] if v["name"] == "config")["configMap"]["name"] == config["metadata"]["name"]
pause = int(server["lifecycle"]["preStop"]["exec"]["command"][1])
drain = next(int(l.split("=")[1]) for l in config["data"]["serve.toml"].splitlines() if l.startswith("drain_seconds"))
assert pause + drain < pod["terminationGracePeriodSeconds"], (pause, drain)
scaler = next(d for d in everything if d["kind"] == "HorizontalPodAutoscaler")
rules = next(d for d in everything if d["kind"] == "PrometheusRule")["spec"]["groups"][0]["rules"]
wanted = scaler["spec"]["metrics"][0]["pods"]["metric"]["name"]
assert wanted in [r.get("record") for r in rules], wanted
PY
  # Whatever the rules compute with must be something the server counts.
  grep -oE 'infoscissors_[a-z_]+' "$root/deploy/kubernetes/monitoring.yaml" "$root/docs/deployment.md" -h | sort -u |
    grep -vE '^infoscissors_queue_mean_seconds$' | sed -E 's/_(sum|count|bucket)$//' | sort -u >metrics.txt
  check 'the rules name metrics' test -s metrics.txt
  while IFS= read -r metric; do
    check "the server has $metric" grep -q "\"$metric\"" "$root/src/infoscissors/serve/metrics.cpp"
  done <metrics.txt
fi

finish
