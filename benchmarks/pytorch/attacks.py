"""Knowledge alignment, regularised maximum likelihood and passive model completion, as one would write them in PyTorch.
The attacker's options, data and first weights come from the file that benchmarks/speed writes."""

import math
import time

import torch
import torch.nn.functional as F

from networks import decoder, mlp
from training import SplitModel


def channel_statistics(sample):
    """Mean and standard deviation per channel, and which channels vary at all."""
    dimensions = [d for d in range(sample.dim()) if d != 1]
    std, mean = torch.std_mean(sample.double(), dimensions, unbiased=False, keepdim=True)
    live = (std > 1e-6 * mean.abs()).flatten().nonzero().flatten()
    return mean.float().index_select(1, live), std.float().index_select(1, live), live


def batches(size, batch, generator):
    """Endless batches of indices; a last one of a single sample is left out."""
    while True:
        for index in torch.randperm(size, generator=generator).split(min(batch, size)):
            if len(index) > 1 or size == 1:
                yield index


class Attack:
    def __init__(self, file, settings):
        self.file, self.settings = file, settings
        self.options, self.config = file.json("attack"), file.json("config")
        self.model = SplitModel(self.config).to(memory_format=settings.layout)
        self.model.load(file)
        self.model.eval().requires_grad_(False)
        self.generator = torch.Generator()

    def run(self):
        if "seed" in self.file.tensors:
            self.generator.manual_seed(int(self.file["seed"]) % 2 ** 64)
        return self.attack()


class Ka(Attack):
    """An inverse network trained on queries of auxiliary images."""

    def attack(self):
        options, layout = self.options, self.settings.layout
        images = self.file["auxiliary"].contiguous(memory_format=layout)
        with torch.no_grad():
            answers = torch.cat([self.model.head(part) for part in images.split(256)])
        mean, std, live = channel_statistics(answers)
        inputs = ((answers.index_select(1, live) - mean) / std).contiguous(memory_format=layout)
        net = decoder(options["decoder"], len(live), images.shape[1], options["width"])
        net.load_state_dict(self.file.state("start."))
        net = net.to(memory_format=layout)
        best, loss = self.fit(net, inputs, images)
        net.load_state_dict(best)
        net.eval()
        with torch.no_grad(), self.settings.autocast():
            r = self.file["representations"].contiguous(memory_format=layout)
            parts = [net((part.index_select(1, live) - mean) / std) for part in r.split(256)]
        return torch.cat(parts).float().clamp(0, 1), loss

    def fit(self, net, inputs, images):
        options = self.options
        held = min(max(round(options["validation"] * len(images)), 1), len(images) - 1)
        training = len(images) - held
        passes = math.ceil(training / options["batch"]) - (training % options["batch"] == 1)
        steps = max(options["steps"], options["epochs"] * passes)
        every = max(passes, steps // 100)
        optimizer = torch.optim.Adam(net.parameters(), lr=options["rate"], foreach=self.settings.foreach)
        best = (math.inf, None)

        def look():
            net.eval()
            with torch.no_grad(), self.settings.autocast():
                output = torch.cat([net(part) for part in inputs[:held].split(256)]).float()
            loss = float(F.mse_loss(output, images[:held]))
            if loss < best[0]:
                return loss, {name: tensor.clone() for name, tensor in net.state_dict().items()}
            return best

        best = look()
        order = batches(training, options["batch"], self.generator)
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = options["rate"] * (1 + math.cos(math.pi * step / steps)) / 2
            index = held + next(order)
            net.train()
            with self.settings.autocast():
                output = net(inputs[index])
            loss = F.mse_loss(output.float(), images[index])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if (step + 1) % every == 0 or step + 1 == steps:
                best = look()
        return best[1], best[0]


class Rmle(Attack):
    """The image whose representation is the one received. `together`: how many images are searched at once."""

    together = 64

    def attack(self):
        received = self.file["representations"]
        mean, std, live = channel_statistics(received)
        target = (received.index_select(1, live) - mean) / std
        parts = [self.search(part, mean, std, live) for part in target.split(self.together)]
        images, objective = zip(*parts)
        return torch.cat(images), float(torch.cat(objective).mean())

    def starts(self, count):
        shape, starts = (count, *self.config["image"]), [torch.full((count, *self.config["image"]), 0.5)]
        for start in range(1, self.options["starts"]):
            if start % 2:
                starts.append(torch.rand(shape, generator=self.generator))
            else:
                starts.append(torch.rand(count, shape[1], 1, 1, generator=self.generator).expand(shape))
        return torch.cat(starts)

    def search(self, target, mean, std, live):
        options, count = self.options, len(target)
        whole = target.repeat(options["starts"], 1, 1, 1).contiguous(memory_format=self.settings.layout)
        x = self.starts(count).contiguous(memory_format=self.settings.layout).requires_grad_(True)
        optimizer = torch.optim.Adam([x], lr=options["rate"], amsgrad=True, foreach=self.settings.foreach)

        def objective():
            with self.settings.autocast():
                r = self.model.head(x)
            r = (r.float().index_select(1, live) - mean) / std
            value = (r - whole).square().flatten(1).mean(1)
            if options["tv"] > 0:
                value = value + options["tv"] * sum(x.diff(dim=d).square().flatten(1).mean(1) for d in (2, 3))
            return value

        before, window = None, torch.zeros(len(x))
        for step in range(1, options["steps"] + 1):
            value = objective()
            optimizer.zero_grad(set_to_none=True)
            value.sum().backward()
            optimizer.step()
            with torch.no_grad():
                x.clamp_(0, 1)
            window += value.detach()
            if options["tolerance"] > 0 and step % options["window"] == 0:
                settled = window < 1e-8 * options["window"]
                if before is not None:
                    settled |= window >= before * (1 - options["tolerance"])
                if settled.all():
                    break
                before, window = window, torch.zeros(len(x))
        with torch.no_grad():
            value, start = objective().view(options["starts"], count).min(0)
        return x.detach().view(options["starts"], count, *x.shape[1:])[start, torch.arange(count)], value


class Pmc(Attack):
    """A head on v fitted to a few labelled features; weight decay and stopping step by cross-validation."""

    decays, every = (1e-3, 1e-2, 1e-1), 10

    def attack(self):
        options = self.options
        with torch.no_grad():
            images = self.file["auxiliary"].contiguous(memory_format=self.settings.layout)
            labelled = self.model.encoder(self.model.head(images))
        received = self.file["features"]
        mean, std, live = channel_statistics(torch.cat([labelled, received]))
        features = (labelled.index_select(1, live) - mean) / std
        labels, rank = self.file["auxiliary_labels"], self.file["rank"]
        folds = min(options["folds"], int(rank.max()) + 1)
        best = (math.inf, self.decays[1], options["steps"])
        for decay in self.decays if folds > 1 else ():
            losses = torch.zeros(options["steps"] // self.every)
            for fold in range(folds):
                held = rank % folds == fold
                losses += self.train(features[~held], labels[~held], decay, options["steps"], features[held], labels[held])[1]
            lowest, at = losses.min(0)
            best = min(best, (float(lowest) / len(labels), decay, (int(at) + 1) * self.every))
        loss, decay, steps = best
        head, _ = self.train(features, labels, decay, steps)
        with torch.no_grad():
            return head((received.index_select(1, live) - mean) / std).argmax(1), loss

    def train(self, features, labels, decay, steps, test_features=None, test_labels=None):
        options = self.options
        head = mlp(features.shape[1], options["width"], self.config["classes"], 3 if options["head"] == "mlp" else 1)
        head.load_state_dict(self.file.state("start."))
        optimizer = torch.optim.Adam(head.parameters(), lr=options["rate"], weight_decay=decay,
                                     foreach=self.settings.foreach)
        losses = []
        for step in range(1, steps + 1):
            loss = F.cross_entropy(head(features), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if test_features is not None and step % self.every == 0:
                with torch.no_grad():
                    losses.append(F.cross_entropy(head(test_features), test_labels, reduction="sum"))
        return head, torch.stack(losses) if losses else None


def make_attack(file, settings):
    return {"ka": Ka, "rmle": Rmle, "pmc": Pmc}[file.metadata["name"]](file, settings)
