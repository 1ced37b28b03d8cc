#!/usr/bin/python3
"""Whether PyTorch computes what this project computes: the same 20 training steps from the same weights, batches and
random draws, and the same attacks. Prints the largest differences; exit status 1 where one is above rounding.

Usage: check.py SPEED    the program of benchmarks/speed. One thread, fp32, seconds."""

import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import torch

import attacks
import training
from exchange import File

STEPS = 20
SMALL = ["data.image_size=16", "data.channels=3", "model.width=0.25", "train.batch=16", "train.rate=0.002", "train.crop=2",
         "train.flip=true", "runtime.precision=fp32", "runtime.threads=1"]
TRAININGS = {
    "none": "none",
    "linear psi": "infoscissors(input=0.3,prediction=0.2,psi=linear,warmup=0.5,psi_rate=1e-3,phi_rate=1e-3)",
    "conv psi": "infoscissors(input=0.3,prediction=0.2,guard=2.4,warmup=0.2,psi_rate=1e-3,phi_rate=1e-3)",
    "res psi, clipped": "infoscissors(input=0.3,psi=res,psi_optimizer=sgd)",
}
ATTACKS = {
    "ka, linear": "ka(decoder=linear,budget=100,steps=20,epochs=1,batch=16)",
    "ka, conv": "ka(decoder=conv,budget=100,steps=20,epochs=1,batch=16)",
    "ka, res": "ka(decoder=res,width=4,budget=97,steps=20,epochs=1,batch=16)",
    "rmle": "rmle(steps=20,starts=3,tolerance=0,tv=0.01)",
    "pmc": "pmc(steps=20)",
    "pmc, one layer": "pmc(head=mlp-sim,steps=20)",
}
# What rounding grows to in 20 steps: Adam divides gradients near zero by their own size, and a ReLU may switch. A wrong
# sign, rate or draw is orders of magnitude above it. The learning rates are low, for training itself is chaotic.
TOLERANCE = 2e-3


def record(speed, directory, *arguments):
    path = pathlib.Path(directory) / "record.safetensors"
    settings = [part for setting in SMALL for part in ("--set", setting)]
    subprocess.run([speed, *arguments, *settings, "--record", "--out", path], check=True, stdout=subprocess.PIPE)
    return File(path)


def difference(ours, theirs):
    """Largest difference over the largest value of ours."""
    scale = max(float(ours.double().abs().max()), 0.1)
    return float((ours.double() - theirs.double()).abs().max()) / scale


def check_training(file):
    trainer = training.Trainer(file, training.Settings())
    trainer.begin()
    cross_entropy, penalty = [], []
    for i in range(STEPS):
        generator = torch.Generator().manual_seed(int(file["step.seed"][i]) % 2 ** 64)
        one, other = trainer.step(file["step.images"][i], file["step.labels"][i], float(file["step.epoch"][i]), generator)
        cross_entropy.append(one)
        penalty.append(other)
    differences = {"cross-entropy": difference(file["step.cross_entropy"], torch.stack(cross_entropy)),
                   "penalty": difference(file["step.penalty"], torch.stack(penalty).float())}
    for part in ("head", "encoder", "classifier"):
        after = file.state(f"after.{part}.")
        differences[part] = max(difference(after[name], tensor)
                                for name, tensor in getattr(trainer.model, part).state_dict().items())
    return differences


def check_attack(file):
    attack = attacks.make_attack(file, training.Settings())
    attack.together = 10 ** 6  # as many as the project searches at once
    result, figure = attack.run()
    details = file.json("details")
    if "after.predictions" in file.tensors:
        return {"predictions": float((result != file["after.predictions"]).float().mean()),
                "cross-entropy": abs(figure / details["validation_cross_entropy"] - 1)}
    name = "validation_mse" if "validation_mse" in details else "objective"
    return {"images": difference(file["after.reconstructions"], result), name: abs(figure / details[name] - 1)}


def main():
    speed, worst = sys.argv[1], 0.0
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as directory:
        for title, defense in TRAININGS.items():
            clip = ["--set", "train.clip=0.5"] if "clipped" in title else []
            file = record(speed, directory, "train", "--steps", str(STEPS), "--set", f"defense={defense}", *clip)
            worst = max(worst, report(title, check_training(file)))
        for title, attack in ATTACKS.items():
            file = record(speed, directory, "attack", "--attack", attack, "--attacked", "20",
                          "--set", "data.auxiliary=120", "--set", "data.train=16")
            worst = max(worst, report(title, check_attack(file)))
    return 0 if worst < TOLERANCE else 1


def report(title, differences):
    print(f"{title}: " + ", ".join(f"{name} {value:.1e}" for name, value in differences.items()))
    return max(differences.values())


if __name__ == "__main__":
    sys.exit(main())
