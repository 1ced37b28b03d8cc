#!/usr/bin/python3
"""Writes data/infoscissors.json: the vCLUB-S terms and their gradients on fixed tensors, computed with PyTorch's
autograd straight from Duan et al. 2024, section 3. Run by hand: tests/defense/golden.py"""
import json
import pathlib

import torch
import torch.nn.functional as F

SEED, SIGMA, BATCH = 11, 0.5, 6
g = torch.Generator().manual_seed(3)
r = torch.randn(BATCH, 2, 5, 5, generator=g).requires_grad_()
x = torch.rand(BATCH, 1, 5, 5, generator=g)
psi_weight, psi_bias = torch.randn(1, 2, 3, 3, generator=g), torch.randn(1, generator=g)
v = torch.randn(BATCH, 4, generator=g).requires_grad_()
y = torch.randint(0, 3, (BATCH,), generator=g)
phi_weight, phi_bias = torch.randn(3, 4, generator=g), torch.randn(3, generator=g)

other = torch.randint(0, BATCH, (BATCH,), generator=torch.Generator().manual_seed(SEED))


def log_psi(target):
    made = torch.sigmoid(F.conv2d(r, psi_weight, psi_bias, padding=1))
    return -((target - made) ** 2).flatten(1).mean(1) / (2 * SIGMA**2)


def log_phi(labels):
    return F.log_softmax(v @ phi_weight.T + phi_bias, 1).gather(1, labels[:, None])[:, 0]


term_input = (log_psi(x) - log_psi(x[other])).mean()
term_prediction = (log_phi(y) - log_phi(y[other])).mean()
term_input.backward()
term_prediction.backward()


def plain(tensor):
    return {"shape": list(tensor.shape), "values": [round(float(e), 7) for e in tensor.detach().flatten()]}


out = {"seed": SEED, "sigma": SIGMA, "input": float(term_input), "prediction": float(term_prediction),
       "r": plain(r), "x": plain(x), "psi_weight": plain(psi_weight), "psi_bias": plain(psi_bias), "r_grad": plain(r.grad),
       "v": plain(v), "y": y.tolist(), "phi_weight": plain(phi_weight), "phi_bias": plain(phi_bias), "v_grad": plain(v.grad)}
path = pathlib.Path(__file__).parent / "data" / "infoscissors.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(out) + "\n")
