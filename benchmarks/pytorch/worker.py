#!/usr/bin/python3
"""The side of benchmarks/run that is PyTorch: reads what benchmarks/speed wrote, answers "ready", and then, line by line
on standard input, repeats the work ("go": seconds) or tells the peak of its memory ("memory": MiB)."""

import argparse
import pathlib
import resource
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import torch

import attacks
import training
from exchange import File


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=["train", "attack"])
    parser.add_argument("file", help="written by benchmarks/speed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--foreach", action="store_true")
    parser.add_argument("--together", type=int, help="rmle: images that are searched at once; 1 is a loop over images")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    settings = training.Settings(arguments.channels_last, arguments.bf16, arguments.foreach)
    file = File(arguments.file)
    if arguments.work == "train":
        trainer = training.Trainer(file, settings)
        work = lambda: trainer.epoch()[0]
    else:
        attack = attacks.make_attack(file, settings)
        if arguments.together:
            attack.together = arguments.together
        work = lambda: (attack.run(), 1)[1]
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "memory":
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
            continue
        begin = time.perf_counter()
        count = work()
        print((time.perf_counter() - begin) / count, flush=True)


if __name__ == "__main__":
    main()
