#!/usr/bin/env python3
"""The three networks of an undefended bundle in Python, as a check on `infer`.

Usage: compute.py BUNDLE PICTURE... <answers.json
answers.json is what `infoscissors infer --json --top N` printed for the same pictures, grey and of the network's size.
"""
import json
import sys

import numpy
import torch
from PIL import Image

bundle, pictures = sys.argv[1], sys.argv[2:]
answers = json.load(sys.stdin)["results"]
facts = json.load(open(f"{bundle}/device/manifest.json"))["device"]
parts = [torch.jit.load(f"{bundle}/{name}.pt") for name in ("device/head", "server/encoder", "device/classifier")]
torch.set_num_threads(1)
assert len(answers) == len(pictures) > 0, (len(answers), len(pictures))
for picture, answer in zip(pictures, answers):
    x = torch.from_numpy(numpy.asarray(Image.open(picture), dtype=numpy.float32) / 255)[None, None]
    with torch.no_grad():
        for part in parts:
            x = part(x)
    probabilities = torch.softmax(x, 1)[0]
    assert answer["name"] == picture, (answer["name"], picture)
    assert len(answer["top"]) == len(facts["classes"])
    for guess in answer["top"]:
        difference = abs(guess["probability"] - float(probabilities[facts["classes"].index(guess["class"])]))
        assert difference < 1e-5, (picture, guess, difference)
print(f"{len(pictures)} pictures agree")
