#!/usr/bin/python3
"""Writes the reference values of tests/stats by SciPy: Student's t, paired permutation tests.

Run from anywhere: tests/stats/golden.py.
"""
import json
import math
import pathlib

import numpy as np
from scipy import special, stats

DATA = pathlib.Path(__file__).parent / "data"


def quantile(probability, degrees):
    """By the inverse of the incomplete beta function: stats.t.ppf stops at a relative error of 1e-9."""
    beta = special.betaincinv(degrees / 2, 0.5, 2 * min(probability, 1 - probability))
    return math.copysign(math.sqrt(degrees * (1 - beta) / beta), probability - 0.5)


def interval(values, confidence):
    half = quantile((1 + confidence) / 2, len(values) - 1) * stats.sem(values)
    return {"values": [float(v) for v in values], "confidence": confidence, "mean": float(np.mean(values)),
            "half_width": float(half)}


def permutation(a, b):
    """Every exchange within the pairs; SciPy doubles the smaller tail, so the statistic is the absolute difference."""
    result = stats.permutation_test((a, b), lambda x, y: abs(np.mean(x - y)), permutation_type="samples",
                                    n_resamples=np.inf, alternative="greater")
    return {"a": [float(v) for v in a], "b": [float(v) for v in b], "p": float(result.pvalue)}


def main():
    rng = np.random.default_rng(20240601)
    quantiles = [{"probability": p, "degrees": d, "value": quantile(p, d)}
                 for p in (0.5, 0.6, 0.9, 0.95, 0.975, 0.995, 0.9995, 0.025) for d in (1, 2, 3, 4, 5, 9, 10, 30, 101)]
    samples = ([0.81, 0.79, 0.84], [1.0, 2.0], [3.0, 3.0, 3.0, 3.0], list(rng.normal(size=10)))
    intervals = [interval(values, confidence) for values in samples for confidence in (0.95, 0.8)]
    pairs = [permutation(rng.normal(size=n), rng.normal(size=n) + shift)
             for n in (3, 5, 8, 12) for shift in (0, 0.5, 3)]
    DATA.mkdir(exist_ok=True)
    text = json.dumps({"quantiles": quantiles, "intervals": intervals, "permutations": pairs}, indent=1)
    (DATA / "golden.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
