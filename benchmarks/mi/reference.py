"""The published formulation of the estimators, for timing: same widths, same number of steps and pairs as the C++ ones.

Critics are perceptrons of the concatenated pair and the quadratic forms are evaluated by broadcasting (N, N, D), as the
papers' formulas read. Prints CSV: estimator, value (nats), seconds. One thread.
"""
import argparse
import math
import time

import torch
from torch import nn


def channel(pairs, dimension, nats, seed):
    generator = torch.Generator().manual_seed(seed)
    rho = math.sqrt(1 - math.exp(-2 * nats / dimension))
    x = torch.randn(pairs, dimension, generator=generator)
    y = rho * x + math.sqrt(1 - rho * rho) * torch.randn(pairs, dimension, generator=generator)
    return x, y


def perceptron(inputs, outputs, hidden):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


class Conditional(nn.Module):
    """q(y|x): mean and log-variance by one perceptron each."""

    def __init__(self, dimension, hidden):
        super().__init__()
        self.mean, self.log_variance = perceptron(dimension, dimension, hidden), perceptron(dimension, dimension, hidden)

    def log_likelihood(self, x, y):
        mean, log_variance = self.mean(x), self.log_variance(x).tanh()
        return (-(mean - y) ** 2 / log_variance.exp() / 2 - log_variance / 2).sum(-1)

    def loss(self, x, y):
        return -self.log_likelihood(x, y).mean()

    def all_pairs(self, x, y):
        mean, log_variance = self.mean(x).unsqueeze(1), self.log_variance(x).tanh().unsqueeze(1)
        return (-(mean - y.unsqueeze(0)) ** 2 / log_variance.exp() / 2 - log_variance / 2).sum(-1)


class Club(Conditional):
    def value(self, x, y):
        return (self.log_likelihood(x, y) - self.all_pairs(x, y).mean(1)).mean()


class LeaveOneOut(Conditional):
    def value(self, x, y):
        scores, n = self.all_pairs(x, y), len(x)
        others = scores.masked_fill(torch.eye(n, dtype=torch.bool), -math.inf)
        return (scores.diagonal() - (others.logsumexp(0) - math.log(n - 1))).mean()


class Joint(nn.Module):
    """A critic of the concatenated pair."""

    def __init__(self, dimension, hidden):
        super().__init__()
        self.critic = perceptron(2 * dimension, 1, hidden)
        self.average = None

    def pairs(self, x, y):
        return self.critic(torch.cat([x, y], -1)).squeeze(-1)

    def all_pairs(self, x, y):
        n = len(x)
        return self.pairs(x.unsqueeze(1).expand(n, n, -1), y.unsqueeze(0).expand(n, n, -1))

    def loss(self, x, y):
        return -self.value(x, y)


class InfoNce(Joint):
    def value(self, x, y):
        scores = self.all_pairs(x, y)
        return (scores.diagonal() - scores.logsumexp(1)).mean() + math.log(len(x))


class Nwj(Joint):
    def value(self, x, y):
        scores = self.all_pairs(x, y)
        n = len(x)
        return scores.diagonal().mean() - (scores.exp().sum() - scores.diagonal().exp().sum()) / (n * (n - 1)) + 1


class Mine(Joint):
    def value(self, x, y):
        shuffled = y[torch.randperm(len(y))]
        return self.pairs(x, y).mean() - self.pairs(x, shuffled).logsumexp(0) + math.log(len(x))

    def loss(self, x, y):
        mean = self.pairs(x, y[torch.randperm(len(y))]).exp().mean()
        self.average = mean.detach() if self.average is None else 0.99 * self.average + 0.01 * mean.detach()
        return mean / self.average - self.pairs(x, y).mean()


METHODS = {"club": Club, "l1out": LeaveOneOut, "infonce": InfoNce, "nwj": Nwj, "mine": Mine}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=4000)
    parser.add_argument("--dimension", type=int, default=20)
    parser.add_argument("--nats", type=float, default=4)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--hidden", type=int, default=128)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, y = channel(arguments.pairs, arguments.dimension, arguments.nats, 0)
    half = arguments.pairs // 2
    steps = arguments.epochs * (int(0.8 * half) // arguments.batch)  # the C++ side trains on 80 % of the fitted half
    print("estimator,value,seconds")
    for name, method in METHODS.items():
        begin = time.perf_counter()
        model = method(arguments.dimension, arguments.hidden)
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        for _ in range(steps):
            index = torch.randint(half, (arguments.batch,))
            optimizer.zero_grad()
            model.loss(x[index], y[index]).backward()
            optimizer.step()
        with torch.no_grad():
            value = model.value(x[half:], y[half:]).item()
        print(f"{name},{value:.3f},{time.perf_counter() - begin:.2f}", flush=True)


if __name__ == "__main__":
    main()
