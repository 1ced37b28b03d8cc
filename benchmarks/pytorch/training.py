"""Training with and without InfoScissors (Duan et al., NeurIPS 2024), as one would write it in PyTorch."""

from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import nn

from networks import decoder, mlp, resnet, standardised


class Settings:
    """How PyTorch is used: memory layout, precision of convolutions and products, optimiser loops or multi-tensor ones."""

    def __init__(self, channels_last=False, bf16=False, foreach=False):
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.bf16, self.foreach = bf16, foreach

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16) if self.bf16 else nullcontext()


class SplitModel(nn.Module):
    def __init__(self, config):
        super().__init__()
        model = config["model"]
        self.head, self.encoder, features = resnet(model["backbone"], model["width"], config["image"][0],
                                                   model["head_stages"])
        self.classifier = mlp(features, model["classifier_width"], config["classes"], model["classifier_layers"])

    def load(self, file, prefix="before."):
        for name in ("head", "encoder", "classifier"):
            getattr(self, name).load_state_dict(file.state(f"{prefix}{name}."))


def augment(images, pad, flip):
    """uint8 images (B, C, H, W) -> the same in [0, 1]: a random crop and mirroring for each, in one indexing operation."""
    count, _, height, width = images.shape
    if pad:
        images = F.pad(images, (pad,) * 4)
    rows = torch.arange(height) + (torch.randint(2 * pad + 1, (count, 1)) if pad else torch.zeros(count, 1).long())
    columns = torch.arange(width).expand(count, width)
    if flip:
        columns = torch.where(torch.rand(count, 1) < 0.5, columns.flip(1), columns)
    if pad:
        columns = columns + torch.randint(2 * pad + 1, (count, 1))
    if pad or flip:
        sample = torch.arange(count)
        images = images.permute(0, 2, 3, 1)[sample[:, None, None], rows[:, :, None], columns[:, None, :]]
        images = images.permute(0, 3, 1, 2)
    return images.float().div_(255)


class Term:
    """One vCLUB-S term: a variational network and its optimiser."""

    def __init__(self, network, rate, optimizer, steps, settings, log_likelihood):
        self.network, self.steps, self.settings = network, steps, settings
        self.log_likelihood = log_likelihood
        if optimizer == "adam":
            self.optimizer = torch.optim.Adam(network.parameters(), lr=rate, foreach=settings.foreach)
        else:
            self.optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, foreach=settings.foreach)

    def __call__(self, exposed):
        with self.settings.autocast():
            output = self.network(exposed)
        return output.float()

    def update(self, exposed, secret):
        for _ in range(self.steps):
            loss = -self.log_likelihood(self(exposed), secret).mean()
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()

    def penalty(self, exposed, secret, generator):
        other = secret[torch.randint(len(secret), (len(secret),), generator=generator)]
        self.network.requires_grad_(False)  # only what is exposed shall feel it
        output = self(exposed)
        value = self.log_likelihood(output, secret).mean() - self.log_likelihood(output, other).mean()
        self.network.requires_grad_(True)
        return value


class InfoScissors:
    def __init__(self, options, config, representation_channels, features, settings):
        self.options = options
        precision = 1 / options["psi_sigma"] ** 2
        self.psi = self.phi = None
        if options["input"] > 0:
            psi = standardised(decoder(options["psi"], representation_channels, config["image"][0], options["psi_width"]),
                               representation_channels, spatial=True).to(memory_format=settings.layout)
            self.psi = Term(psi, options["psi_rate"], options["psi_optimizer"], options["psi_steps"], settings,
                            lambda output, image: -0.5 * precision * (image - output).square().flatten(1).mean(1))
        if options["prediction"] > 0:
            phi = standardised(mlp(features, options["phi_width"], config["classes"], options["phi_layers"]),
                               features, spatial=False)
            self.phi = Term(phi, options["phi_rate"], options["phi_optimizer"], options["phi_steps"], settings,
                            lambda output, label: -F.cross_entropy(output, label, reduction="none"))

    def load(self, file, prefix="before."):
        for name, term in (("psi", self.psi), ("phi", self.phi)):
            if term:
                term.network.load_state_dict(file.state(f"{prefix}0.{name}."))  # the first defence of a composition

    def weights(self, epoch):
        ramp = min(1.0, epoch / self.options["warmup"]) if self.options["warmup"] > 0 else 1.0
        return self.options["input"] * ramp, self.options["prediction"] * ramp

    def objective(self, images, labels, r, v, cross_entropy, epoch, generator):
        if self.psi:
            self.psi.update(r.detach(), images)
        if self.phi:
            self.phi.update(v.detach(), labels)
        of_input, of_prediction = self.weights(epoch)
        penalty = 0
        if self.psi:
            penalty = of_input * self.psi.penalty(r, images, generator)
        if self.phi:
            penalty = penalty + of_prediction * self.phi.penalty(v, labels, generator)
        guard = self.options["guard"]
        if guard > 0:
            penalty = penalty * (cross_entropy.detach() <= guard)
        return (1 - of_input - of_prediction) * cross_entropy + penalty, penalty


class Trainer:
    def __init__(self, file, settings):
        self.settings, self.config = settings, file.json("config")
        train = self.config["train"]
        self.model = SplitModel(self.config).to(memory_format=settings.layout)
        self.model.load(file)
        defenses = file.json("defenses")
        self.defense = None
        if "infoscissors" in defenses:
            self.defense = InfoScissors(defenses["infoscissors"], self.config, self.model.head.stem.conv.out_channels,
                                        self.model.classifier.linear1.in_features, settings)
            self.defense.load(file)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=train["rate"], momentum=train["momentum"],
                                         weight_decay=train["weight_decay"], foreach=settings.foreach)
        self.images, self.labels = file["images"][file["train"]], file["labels"][file["train"]]

    def step(self, images, labels, epoch, generator=None):
        """-> cross-entropy, penalty (both detached)."""
        images = images.contiguous(memory_format=self.settings.layout)
        with self.settings.autocast():
            r = self.model.head(images)
            v = self.model.encoder(r)
            logits = self.model.classifier(v)
        cross_entropy = F.cross_entropy(logits.float(), labels)
        loss, penalty = cross_entropy, torch.zeros(())
        if self.defense:
            loss, penalty = self.defense.objective(images, labels, r, v, cross_entropy, epoch, generator)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.config["train"]["clip"] > 0:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config["train"]["clip"])
        self.optimizer.step()
        self.correct += (logits.detach().argmax(1) == labels).sum()
        self.loss += loss.detach()
        return cross_entropy.detach(), penalty.detach()

    def epoch(self):
        """-> number of steps. The loss and accuracy of an epoch are read once, at its end."""
        train = self.config["train"]
        self.begin()
        order = torch.randperm(len(self.labels)).split(train["batch"])
        for i, index in enumerate(order):
            self.step(augment(self.images[index], train["crop"], train["flip"]), self.labels[index], i / len(order))
        return len(order), float(self.loss), float(self.correct)

    def begin(self):
        self.model.train()
        self.loss, self.correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
