#!/usr/bin/python3
"""Writes tests/attack/data/rmle.json: the objective of regularised maximum likelihood and its first AMSGrad steps,
computed with PyTorch's own convolution, batch norm and optimiser from the definition in docs/attacks/rmle.md.

Two grey images, a head of four channels of which one is dead. Run from anywhere: tests/attack/golden.py.
"""
import json
import pathlib

import torch

TV, L2, RATE, STEPS = 0.05, 0.02, 1e-2, 6


def variation(x):
    rows = (x[:, :, 1:] - x[:, :, :-1]).pow(2).mean((1, 2, 3))
    columns = (x[:, :, :, 1:] - x[:, :, :, :-1]).pow(2).mean((1, 2, 3))
    return rows + columns


def listed(tensor):
    return {"shape": list(tensor.shape), "values": [float(v) for v in tensor.detach().flatten()]}


def main():
    torch.manual_seed(11)
    head = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, padding=1, bias=False), torch.nn.BatchNorm2d(4), torch.nn.ReLU())
    head[1].running_mean.copy_(torch.tensor([0.1, -0.05, 0.2, 0.0]))
    head[1].running_var.copy_(torch.tensor([0.3, 0.05, 0.1, 0.2]))
    with torch.no_grad():
        head[1].bias.copy_(torch.tensor([0.2, 0.1, -100.0, 0.3]))
    head.eval().requires_grad_(False)
    truth = torch.nn.functional.interpolate(torch.rand(2, 1, 4, 4), size=(12, 14), mode="bilinear")
    received = head(truth)
    live = [0, 1, 3]
    scale = received[:, live].double().std((0, 2, 3), unbiased=False, keepdim=True).float()

    def objective(x):
        fit = ((head(x) - received)[:, live] / scale).pow(2).mean((1, 2, 3))
        return fit + TV * variation(x) + L2 * x.pow(2).mean((1, 2, 3))

    x = torch.full_like(truth, 0.5).requires_grad_(True)
    optimiser = torch.optim.Adam([x], lr=RATE, amsgrad=True)
    for _ in range(STEPS):
        optimiser.zero_grad()
        objective(x).sum().backward()
        optimiser.step()
        with torch.no_grad():
            x.clamp_(0, 1)
    document = {
        "weight": listed(head[0].weight), "mean": listed(head[1].running_mean), "variance": listed(head[1].running_var),
        "shift": listed(head[1].bias), "received": listed(received), "truth": listed(truth),
        "tv": TV, "l2": L2, "rate": RATE, "steps": STEPS, "variation": listed(variation(truth)),
        "objective_at_start": listed(objective(torch.full_like(truth, 0.5))), "images_after_steps": listed(x),
    }
    target = pathlib.Path(__file__).parent / "data" / "rmle.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
