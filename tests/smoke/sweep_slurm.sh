#!/usr/bin/env bash
# A sweep through Debian's Slurm on this one machine: a job array shares it by index, nothing is done twice, children
# do not take themselves for ranks of the job. Starts munged, slurmctld and slurmd of its own on free ports and ends
# them again. Needs root (the daemons change users) and slurm-wlm; skipped without root.
# Usage: sweep_slurm.sh PATH_OF_INFOSCISSORS
set -euo pipefail
infoscissors=$(realpath "$1")
# shellcheck source=tests/smoke/harness.sh
. "$(dirname "$(realpath "$0")")/harness.sh"
[ "$(id -u)" -eq 0 ] || skip 'not root'
for program in munged slurmctld slurmd sbatch; do
  command -v "$program" >/dev/null || { echo "$program is missing: scripts/install-packages test"; exit 1; }
done

chmod 755 .
# A daemon's own children end with it only where it may end by itself.
undo() {
  kill "${processes[@]}" 2>/dev/null || true
  wait "${processes[@]}" 2>/dev/null || true
}

# An authentication socket and key of the test's own, so that a munge of the machine is left alone.
install -d -o munge -g munge -m 755 munge
install -d -o munge -g munge -m 700 munge/private
dd if=/dev/urandom of=munge/private/key bs=1 count=128 2>/dev/null
chown munge:munge munge/private/key
chmod 400 munge/private/key
runuser -u munge -- munged --foreground --key-file="$work/munge/private/key" --socket="$work/munge/socket" \
  --pid-file="$work/munge/private/pid" --log-file="$work/munge/private/log" --seed-file="$work/munge/private/seed" >munged.log 2>&1 &
processes+=($!)

mkdir state spool
host=$(hostname -s)
cat >slurm.conf <<CONF
ClusterName=infoscissors
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdTimeout=0
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=test Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:2
CONF
export SLURM_CONF=$work/slurm.conf

logs=(munged.log slurmctld.log slurmd.log)
await 20 test -S munge/socket || give_up 'munged does not answer' "${logs[@]}"
slurmctld -D >/dev/null 2>&1 &
processes+=($!)
slurmd -D -N "$host" >/dev/null 2>&1 &
processes+=($!)
idle() {
  [ "$(sinfo -h -o %t)" = idle ]
}
await 60 idle || give_up 'the node does not become idle' "${logs[@]}"

cat >sweep.toml <<'TOML'
name = "slurm"
seeds = [0, 1]
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
[[defenses]]
spec = "an"
strengths = [0.1, 1]
TOML

empty_queue() {
  [ -z "$(squeue -h)" ]
}
"$infoscissors" sweep submit sweep.toml --out out --slurm --tasks 3 --time 10 >submitted.txt || give_up 'it is not submitted' submitted.txt "${logs[@]}"
check 'it says which job' grep -qE '^slurm: job [0-9]+ with 3 tasks' submitted.txt
await 180 empty_queue || give_up 'the job array does not end' "${logs[@]}"
tail -n 3 out/slurm/*.txt
check 'three tasks said something' test "$(find out/slurm -name '*_*.txt' | wc -l)" -eq 3
check 'every run is done' grep -q '^slurm: 6 of 6 runs done' <("$infoscissors" sweep status out)
check 'each run was started once' test "$(cat out/runs/*/log.txt | grep -c 'epoch 1/1')" -eq 2
check 'no claim is left' test -z "$(ls out/claims)"
# Inside a step, too, the children are runs by themselves.
sed 's/"slurm"/"step"/' sweep.toml >step.toml
srun --ntasks=1 "$infoscissors" -q sweep step.toml --out step >step.txt 2>&1 || true
check 'a sweep inside a step' grep -q '^step: 6 of 6 runs done' step.txt
finish
