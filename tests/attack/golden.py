#!/usr/bin/python3
"""Writes the reference values in tests/attack/data, each from the definition in docs/attacks and an independent library:

rmle.json         the objective and its first AMSGrad steps with PyTorch's convolution, batch norm and optimiser; two grey
                  images, a head of four channels of which one is dead
prior.json        the images of two untrained generators, one after the other, and the objective behind a convolution
knn.json          labels by brute force in numpy
assignment.json   optimal assignments by scipy
mixmatch.json     sharpened labels and the loss by PyTorch

Run from anywhere: tests/attack/golden.py.
"""
import json
import pathlib

import numpy
import scipy.optimize
import torch

TV, L2, RATE, STEPS = 0.05, 0.02, 1e-2, 6


def variation(x):
    rows = (x[:, :, 1:] - x[:, :, :-1]).pow(2).mean((1, 2, 3))
    columns = (x[:, :, :, 1:] - x[:, :, :, :-1]).pow(2).mean((1, 2, 3))
    return rows + columns


def listed(tensor):
    return {"shape": list(tensor.shape), "values": [float(v) for v in tensor.detach().flatten()]}


def write(name, document):
    target = pathlib.Path(__file__).parent / "data" / name
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(document) + "\n")


def rmle():
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
    write("rmle.json", document)


def prior():
    """Image 1x7x6, three channels inside; each generator alone, its layers spelled out."""
    torch.manual_seed(12)
    functional = torch.nn.functional
    noise = torch.rand(1, 3, 2, 2) * 2 - 1
    shapes = [(3, 3), (3, 3), (3, 3), (1, 3)]
    weights = []
    for out, into in shapes:
        weights += [torch.randn(2, out, into, 3, 3) * 0.4, torch.randn(2, out) * 0.1]
    images = []
    for candidate in range(2):
        x = noise
        for layer, size in enumerate([(4, 3), (7, 6), None, None]):
            x = functional.conv2d(x, weights[2 * layer][candidate], weights[2 * layer + 1][candidate], padding=1)
            if layer == 3:
                break
            x = (x - x.mean()) / (x.var(unbiased=False) + 1e-5).sqrt()
            x = functional.leaky_relu(x, 0.1)
            if size:
                x = functional.interpolate(x, size=size, mode="bilinear", align_corners=False)
        images.append(torch.sigmoid(x))
    images = torch.cat(images)
    head = torch.randn(2, 1, 3, 3)
    target = torch.randn(2, 2, 7, 6)
    fit = (functional.conv2d(images, head, padding=1) - target).pow(2).mean((1, 2, 3))
    objective = fit + TV * variation(images) + L2 * images.pow(2).mean((1, 2, 3))
    write("prior.json", {"noise": listed(noise), "weights": [listed(w) for w in weights], "images": listed(images),
                         "head": listed(head), "target": listed(target), "tv": TV, "l2": L2,
                         "objective": listed(objective)})


def nearest_label(row, labelled, labels, k, metric):
    if metric == "euclidean":
        distance = numpy.sqrt(((labelled - row) ** 2).sum(1))
    else:
        distance = 1 - labelled @ row / (numpy.linalg.norm(labelled, axis=1) * numpy.linalg.norm(row))
    near = [labels[i] for i in numpy.argsort(distance, kind="stable")[:k]]
    most = max(near.count(label) for label in near)
    return next(int(label) for label in near if near.count(label) == most)


def knn():
    draws = numpy.random.default_rng(13)
    labels = numpy.arange(15) % 4
    centres = draws.normal(size=(4, 3))
    labelled = centres[labels] + draws.normal(size=(15, 3))
    rows = centres[numpy.arange(40) % 4] + draws.normal(size=(40, 3))
    found = {metric: {str(k): [nearest_label(row, labelled, labels, k, metric) for row in rows] for k in (1, 2, 3, 4, 7)}
             for metric in ("euclidean", "cosine")}
    write("knn.json", {"rows": listed(torch.tensor(rows)), "labelled": listed(torch.tensor(labelled)),
                       "labels": labels.tolist(), "found": found})


def assignment():
    draws = numpy.random.default_rng(14)
    cases = []
    for rows, columns in ((1, 1), (3, 3), (6, 6), (4, 9)):
        cost = draws.normal(size=(rows, columns)).round(3)
        cases.append({"cost": cost.tolist(), "columns": scipy.optimize.linear_sum_assignment(cost)[1].tolist()})
    write("assignment.json", cases)


def mixmatch():
    torch.manual_seed(15)
    probabilities = torch.randn(5, 4).softmax(1)
    powers = probabilities ** (1 / 0.8)
    logits, targets = torch.randn(7, 4), torch.randn(7, 4).softmax(1)
    supervised = torch.nn.functional.cross_entropy(logits[:3], targets[:3])
    consistency = torch.nn.functional.mse_loss(logits[3:].softmax(1), targets[3:])
    write("mixmatch.json", {"probabilities": listed(probabilities), "temperature": 0.8,
                            "sharpened": listed(powers / powers.sum(1, keepdim=True)), "logits": listed(logits),
                            "targets": listed(targets), "labelled": 3, "weight": 12.5,
                            "loss": listed(supervised + 12.5 * consistency)})


def main():
    for make in (rmle, prior, knn, assignment, mixmatch):
        make()


if __name__ == "__main__":
    main()
