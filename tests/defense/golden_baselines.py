#!/usr/bin/python3
"""Writes data/baselines.json: what the baseline defences must compute, from NumPy, SciPy, mpmath and PyTorch's autograd.
Run by hand: tests/defense/golden_baselines.py"""
import json
import math
import pathlib

import mpmath
import numpy as np
import torch
import torch.nn.functional as F
from scipy import integrate, stats

rng = np.random.default_rng(5)
out = {}


def plain(array):
    array = np.asarray(array, dtype=np.float64)
    return {"shape": list(array.shape), "values": [round(float(e), 7) for e in array.ravel()]}


# --- dp: the analytic Gaussian mechanism with 60 digits (Balle and Wang 2018, theorem 8).
mpmath.mp.dps = 60


def gaussian_delta(epsilon, ratio):
    a, b = mpmath.mpf(1) / (2 * ratio), epsilon * ratio
    return mpmath.ncdf(a - b) - mpmath.exp(epsilon) * mpmath.ncdf(-a - b)


def bisect(function, low, high):
    low, high = mpmath.mpf(low), mpmath.mpf(high)
    for _ in range(150):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) > 0 else (low, middle)
    return float(high)


out["gaussian"] = []
for epsilon, delta, clip, queries in [(0.5, 1e-5, 1, 1), (1, 1e-5, 2, 10), (8, 1e-6, 0.5, 100), (1000, 1e-5, 1, 3)]:
    sensitivity = 2 * clip
    deviation = sensitivity * bisect(lambda s: gaussian_delta(epsilon, s) - delta, 1e-3, 1e3)
    total = bisect(lambda e: gaussian_delta(e, deviation / (math.sqrt(queries) * sensitivity)) - delta, 0, 1e5)
    out["gaussian"].append({"epsilon": epsilon, "delta": delta, "clip": clip, "queries": queries,
                            "deviation": deviation, "total": total})
out["laplace"] = []
for epsilon, delta, queries in [(0.1, 1e-5, 1), (0.1, 1e-5, 1000), (2, 1e-5, 7)]:
    advanced = math.sqrt(2 * queries * math.log(1 / delta)) * epsilon + queries * epsilon * (math.exp(epsilon) - 1)
    out["laplace"].append({"epsilon": epsilon, "delta": delta, "queries": queries,
                           "total": min(queries * epsilon, advanced),
                           "total_delta": 0 if queries * epsilon <= advanced else delta})

# --- ppdl: probabilities of the sparse-vector selection by numerical integration, two equal coordinates.
budget, sensitivity, gamma, tau, value = 12.0, 0.5, 0.5, 0.2, 0.4
most = 2
selection, noise = 2 * most * sensitivity / (8 / 9 * budget), 2 * most * sensitivity / (1 / 9 * budget)


def accept(threshold):
    return stats.laplace.sf(tau + threshold - min(value, gamma), scale=2 * selection)


def expectation(function):
    density = lambda t: function(accept(t)) * stats.laplace.pdf(t, scale=selection)
    return sum(integrate.quad(density, a, b, limit=200)[0] for a, b in [(-40, 0), (0, 40)])


p = expectation(lambda q: q)
out["ppdl"] = {"epsilon": budget, "sensitivity": sensitivity, "gamma": gamma, "tau": tau, "value": value,
               "both": p * p, "none": expectation(lambda q: (1 - q) ** 2),
               "one": p * (1 - p) + expectation(lambda q: (1 - q) * q),
               "high": stats.laplace.sf(gamma - value, scale=noise), "low": stats.laplace.cdf(-gamma - value, scale=noise)}

# --- dc: levels.
samples = rng.normal(size=(3, 7)) * 2
out["quantise"] = [{"bins": bins, "bound": bound, "samples": plain(samples),
                    "levels": plain(np.clip(np.round(np.float32(samples.round(7)) / (2 * bound / bins)) * (2 * bound / bins),
                                            -bound, bound))} for bins, bound in [(12, 4), (5, 1)]]

# --- nopeek: distance correlation by its definition, and its derivative by differences.


def distance_correlation(a, b):
    def centred(samples):
        n = len(samples)
        d = np.array([[np.sqrt(((samples[i] - samples[j]) ** 2).sum()) for j in range(n)] for i in range(n)])
        return np.array([[d[i, j] - d[i].mean() - d[:, j].mean() + d.mean() for j in range(n)] for i in range(n)])
    left, right = centred(a), centred(b)
    s = lambda p, q: (p * q).sum() / len(a) ** 2
    return np.sqrt(s(left, right)) / np.sqrt(np.sqrt(s(left, left)) * np.sqrt(s(right, right)))


a = rng.uniform(size=(8, 1, 3, 3)).round(7)
b = (a.reshape(8, -1)[:, :5] + 0.5 * rng.normal(size=(8, 5))).round(7)
gradient = np.zeros_like(b)
for i in np.ndindex(*b.shape):
    step = np.zeros_like(b)
    step[i] = 1e-5
    gradient[i] = (distance_correlation(a, b + step) - distance_correlation(a, b - step)) / 2e-5
labels = rng.integers(0, 3, size=8)
out["nopeek"] = {"a": plain(a), "b": plain(b), "value": distance_correlation(a, b), "gradient": plain(gradient),
                 "labels": labels.tolist(), "label_value": distance_correlation(np.eye(3)[labels], b)}

# --- mid: KL(N(mu, sigma^2) || N(0, I)) of PyTorch's distributions behind two 1x1 convolutions.
r = torch.tensor(rng.normal(size=(4, 2, 3, 3)).round(7))
weights = {name: torch.tensor(rng.normal(size=shape).round(7) * 0.5)
           for name, shape in [("mean_weight", (2, 2, 1, 1)), ("mean_bias", (2,)), ("log_variance_weight", (2, 2, 1, 1)),
                               ("log_variance_bias", (2,))]}
mean = F.conv2d(r, weights["mean_weight"], weights["mean_bias"])
deviation = torch.exp(0.5 * F.conv2d(r, weights["log_variance_weight"], weights["log_variance_bias"]))
normal = torch.distributions.Normal
divergence = torch.distributions.kl_divergence(normal(mean, deviation), normal(torch.zeros_like(mean), 1.0))
out["mid"] = {"r": plain(r), "mean": plain(mean), "deviation": plain(deviation),
              "divergence": float(divergence.flatten(1).sum(1).mean()), **{k: plain(v) for k, v in weights.items()}}

# --- cem: two epochs of k-means and the penalty of a batch, with loops.
classes, per_class, elements = 3, 2, 4
batches = [(rng.normal(size=(10, elements)).round(7), np.arange(10) % classes) for _ in range(3)]
centres = np.array([[s for s, y in zip(*batches[0]) if y == c][:per_class] for c in range(classes)])
for _ in range(2):
    members = [[[] for _ in range(per_class)] for _ in range(classes)]
    for samples, owners in batches:
        for s, y in zip(samples, owners):
            members[y][int(np.argmin(((centres[y] - s) ** 2).sum(1)))].append(s)
    centres = np.array([[np.mean(members[c][j], 0) if members[c][j] else centres[c][j] for j in range(per_class)]
                        for c in range(classes)])
counts = np.array([[len(m) for m in row] for row in members])
variances = np.array([[np.mean((np.array(m) - centres[c][j]) ** 2) if m else 0 for j, m in enumerate(row)]
                      for c, row in enumerate(members)])
scale, threshold, offset, mixing = 0.4, 0.125, 0.01, 10
batch, owners = rng.normal(size=(5, elements)).round(7), np.array([0, 0, 2, 2, 0])
total = 0
for c in np.unique(owners):
    nearest = [int(np.argmin(((centres[c] - s) ** 2).sum(1))) for s in batch[owners == c]]
    for j in set(nearest):
        mine = batch[owners == c][np.array(nearest) == j]
        share = min(mixing * len(mine) / counts[c][j], 0.99)
        v = share * np.mean((mine - centres[c][j]) ** 2) + (1 - share) * variances[c][j]
        total += counts[c][j] / counts[c].sum() * max(0, math.log(v + offset) - math.log(threshold * scale**2 + offset))
out["cem"] = {"classes": classes, "per_class": per_class, "batches": [{"samples": plain(s), "labels": y.tolist()} for s, y in batches],
              "centres": plain(centres.reshape(-1, elements)), "counts": plain(counts.ravel()),
              "variances": plain(variances.ravel()), "scale": scale, "batch": plain(batch), "batch_labels": owners.tolist(),
              "penalty": total / len(np.unique(owners))}

# --- an-adv: the sign of the gradient of a one-layer inversion network's error.
r = torch.tensor(rng.normal(size=(3, 2, 4, 4)).round(7), requires_grad=True)
x = torch.tensor(rng.uniform(size=(3, 1, 4, 4)).round(7))
weight, bias = torch.tensor(rng.normal(size=(1, 2, 3, 3)).round(7)), torch.tensor(rng.normal(size=(1,)).round(7))
F.mse_loss(torch.sigmoid(F.conv2d(r, weight, bias, padding=1)), x).backward()
out["an_adv"] = {"r": plain(r.detach()), "x": plain(x), "weight": plain(weight), "bias": plain(bias),
                 "sign": plain(np.sign(r.grad.numpy()))}

# --- shredder: the Laplace fit of a tensor.
tensor = rng.laplace(0.3, 0.7, size=(1, 1, 3, 17)).round(7)
location, spread = stats.laplace.fit(tensor.ravel())
out["shredder"] = {"tensor": plain(tensor), "location": location, "spread": spread}

path = pathlib.Path(__file__).parent / "data" / "baselines.json"
path.write_text(json.dumps(out) + "\n")
