"""The networks of src/infoscissors/nn, written for PyTorch; modules have the same names, so that weights can be exchanged."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn


def conv_norm(inputs, outputs, kernel, stride=1, rectified=True):
    layers = OrderedDict(conv=nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
                         norm=nn.BatchNorm2d(outputs))
    if rectified:
        layers["relu"] = nn.ReLU(inplace=True)
    return nn.Sequential(layers)


class Subsample(nn.Module):
    """Every second pixel: with a 1x1 convolution behind it the same as a stride of 2, which oneDNN 2.6 computes wrongly
    in the backward pass of channels-last tensors with few channels."""

    def forward(self, x):
        return x[:, :, ::2, ::2]


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = conv_norm(inputs, outputs, 3, stride)
        self.second = conv_norm(outputs, outputs, 3, rectified=False)
        self.shortcut = nn.Identity()
        if inputs != outputs or stride != 1:
            layers = OrderedDict(project=conv_norm(inputs, outputs, 1, rectified=False))
            if stride == 2:
                layers = OrderedDict(subsample=Subsample(), **layers)
            self.shortcut = nn.Sequential(layers)

    def forward(self, x):
        return F.relu(self.second(self.first(x)).add_(self.shortcut(x)), inplace=True)


class Normalise(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("scale", torch.ones(1, channels, 1, 1))

    def forward(self, x):
        return (x - self.mean) * self.scale


class Pool(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def resnet(backbone, width, image_channels, head_stages):
    """-> head, encoder, number of features."""
    base, blocks = {"resnet18": (64, 2), "resnet-small": (16, 1)}[backbone]
    base = max(1, int(base * width + 0.5))
    parts = OrderedDict(stem=conv_norm(image_channels, base, 3))
    inputs = base
    for stage in range(4):
        outputs, layers = base << stage, OrderedDict()
        for block in range(blocks):
            layers[f"block{block + 1}"] = BasicBlock(inputs, outputs, 2 if stage > 0 and block == 0 else 1)
            inputs = outputs
        parts[f"stage{stage + 1}"] = nn.Sequential(layers)
    parts["pool"] = Pool()
    parts = list(parts.items())
    cut = 1 + head_stages
    head = nn.Sequential(OrderedDict([("normalise", Normalise(image_channels)), *parts[:cut]]))
    return head, nn.Sequential(OrderedDict(parts[cut:])), inputs


def mlp(inputs, hidden, outputs, layers):
    net = OrderedDict(flatten=nn.Flatten())
    for i in range(1, layers + 1):
        net[f"linear{i}"] = nn.Linear(inputs if i == 1 else hidden, outputs if i == layers else hidden)
        if i < layers:
            net[f"relu{i}"] = nn.ReLU(inplace=True)
    return nn.Sequential(net)


class ResidualBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = conv_norm(channels, channels, 3)
        self.second = conv_norm(channels, channels, 3, rectified=False)

    def forward(self, x):
        return F.relu(x + self.second(self.first(x)), inplace=True)


def decoder(family, inputs, outputs, width):
    """From a representation of the image's height and width to an image in [0, 1]."""
    conv = lambda i, o: nn.Conv2d(i, o, 3, padding=1)
    if family == "linear":
        layers = OrderedDict(linear=conv(inputs, outputs))
    else:
        layers = OrderedDict(lift0=conv(inputs, width), relu0=nn.ReLU(inplace=True))
        if family == "conv":
            layers.update(middle=conv(width, width), relu=nn.ReLU(inplace=True))
        else:
            layers.update({f"block{i}": ResidualBlock(width) for i in (1, 2, 3)})
        layers["image"] = conv(width, outputs)
    layers["sigmoid"] = nn.Sigmoid()
    return nn.Sequential(layers)


def standardised(network, channels, spatial):
    """What an adversary sees: batch norm without scale and shift, then the network."""
    norm = nn.BatchNorm2d if spatial else nn.BatchNorm1d
    return nn.Sequential(OrderedDict(standardise=norm(channels, affine=False), network=network))
