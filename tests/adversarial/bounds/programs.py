"""Small random networks as torch modules, the same as ONNX files, and what brute force says about the fewest pixels."""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from torch import nn

KINDS = (
    "dense", "linear", "conv", "strided", "residual", "residual of linear", "max pooling", "max pooling first",
    "overlapping max pooling", "average pooling", "batch norm", "two branches",
)  # fmt: skip
QUIRKS = ("none", "no biases", "dead", "ties", "zeros", "same classes", "large", "near the boundary")


class Plus(nn.Module):
    """The sum of two."""

    def forward(self, a, b):
        return a + b


class Normalise(nn.Module):
    """What most classifiers begin with."""

    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, x):
        return (x - self.mean) / self.std


class Program(nn.Module):
    """Layers, each of which reads the results with these places; 0 is the image."""

    def __init__(self, steps):
        super().__init__()
        self.layers = nn.ModuleList([layer for layer, _ in steps])
        self.reads = [reads for _, reads in steps]

    def forward(self, image):
        values = [image]
        for layer, reads in zip(self.layers, self.reads, strict=True):
            values.append(layer(*(values[place] for place in reads)))
        return values[-1]


def scores(module, images, dtype=torch.float32):
    """(N, H, W, C) -> (N, K), by torch."""
    with torch.no_grad():
        given = torch.as_tensor(np.asarray(images)).to(dtype).permute(0, 3, 1, 2).contiguous()
        return module(given).numpy()


class _Writer:
    def __init__(self, height, width, channels):
        self.steps, self.shape = [], (channels, height, width)

    def add(self, layer, *reads):
        """A layer that reads the last result, or the ones with these places; its own place."""
        self.steps.append((layer, reads or (len(self.steps),)))
        return len(self.steps)

    def width(self):
        """Of the result so far."""
        module = Program(self.steps).eval()
        return module(torch.zeros(1, *self.shape)).shape[1:]


def build(rng, kind, height, width, channels, classes, quirk="none"):
    """A random network of a kind, in float32."""
    made = _Writer(height, width, channels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        if rng.random() < 0.5 or kind in ("linear", "residual of linear"):
            made.add(Normalise(float(rng.uniform(0, 0.6)), float(rng.uniform(0.3, 1))))
        _body(made, kind, rng, channels)
        if len(made.width()) > 1:
            made.add(nn.Flatten())
        for _ in range(int(rng.integers(0, 3)) if kind != "linear" else 0):
            size = int(rng.integers(2, 6))
            made.add(nn.Linear(made.width()[0], size))
            made.add(nn.ReLU())
        made.add(nn.Linear(made.width()[0], classes))
        module = Program(made.steps).eval()
        _shape(module, rng, quirk)
    return module


def _body(made, kind, rng, channels):
    wide = int(rng.integers(1, 4))
    if kind in ("dense", "linear"):
        return
    _, high, across = made.width()
    if kind == "max pooling first":
        made.add(nn.MaxPool2d((min(2, high), min(2, across)), 1, padding=(int(high > 1), 0)))
        made.add(nn.Conv2d(channels, wide, 1))
        made.add(nn.ReLU())
    elif kind == "strided":
        size = min(2, high, across)
        made.add(nn.Conv2d(channels, wide, size, stride=3 if rng.random() < 0.5 else 2, bias=bool(rng.random() < 0.5)))
        made.add(nn.ReLU())
        made.add(nn.Conv2d(wide, 2, 3, stride=2, padding=1))
        made.add(nn.ReLU())
    elif kind == "residual of linear":
        first = made.add(nn.Conv2d(channels, wide, 3, padding=1))
        made.add(nn.ReLU())
        last = made.add(nn.Conv2d(wide, wide, 3, padding=1))
        made.add(Plus(), first, last)
        made.add(nn.ReLU())
    elif kind == "two branches":
        first = made.add(nn.Conv2d(channels, wide, 3, padding=1))
        left = made.add(nn.ReLU())
        right = made.add(nn.MaxPool2d(3, 1, padding=1), first)
        made.add(Plus(), left, right)
        made.add(nn.Conv2d(wide, 2, 1))
        made.add(nn.ReLU())
    else:
        made.add(nn.Conv2d(channels, wide, 3, padding=1))
        if kind == "batch norm":
            norm = nn.BatchNorm2d(wide)
            norm.running_mean.uniform_(-1, 1)
            norm.running_var.uniform_(0.1, 2)
            made.add(norm)
        first = made.add(nn.ReLU())
        if kind == "residual":
            made.add(nn.Conv2d(wide, wide, 3, padding=1))
            made.add(nn.ReLU())
            last = made.add(nn.Conv2d(wide, wide, 1))
            made.add(Plus(), first, last)
            made.add(nn.ReLU())
        elif kind == "max pooling":
            made.add(nn.MaxPool2d((min(2, high), min(2, across))))
        elif kind == "overlapping max pooling":
            made.add(nn.MaxPool2d(3, 2, padding=1))
        elif kind == "average pooling":
            made.add(nn.AvgPool2d(3, 2, padding=1, count_include_pad=bool(rng.random() < 0.5)))
        elif kind == "conv":
            made.add(nn.Conv2d(wide, 2, 2, padding=1))
            made.add(nn.ReLU())


def _shape(module, rng, quirk):
    """Larger weights than a new network has, so that few pixels count, and what is special about it."""
    layers = [layer for layer in module.layers if hasattr(layer, "weight")]
    factor = 4.0 if quirk == "large" else float(rng.choice([1.0, 1.6, 2.4]))
    with torch.no_grad():
        for place, layer in enumerate(layers):
            layer.weight *= factor
            if quirk == "no biases" and layer.bias is not None:
                layer.bias.zero_()
            if quirk == "zeros":
                layer.weight[torch.rand(layer.weight.shape) < 0.4] = 0
            if quirk == "ties":
                layer.weight.copy_((layer.weight * 4).round() / 4)
                if layer.bias is not None:
                    layer.bias.copy_((layer.bias * 4).round() / 4)
            if quirk == "dead" and place < len(layers) - 1 and layer.bias is not None:
                layer.bias[0] = -float(layer.weight[0].abs().sum()) * float(rng.choice([0.3, 1.0, 3.0]))
        if quirk == "same classes":
            layers[-1].weight[-1] = layers[-1].weight[0]
            layers[-1].bias[-1] = layers[-1].bias[0]


def image(rng, height, width, channels, how):
    """(H, W, C) float32: inside of [0, 1], at its ends, both, constant, or on a coarse grid that makes ties."""
    made = rng.random((height, width, channels))
    if how == "ends":
        made = np.round(made)
    elif how == "both":
        made = np.clip(2 * made - 0.5, 0, 1)
    elif how == "constant":
        made = np.full_like(made, made.flat[0])
    elif how == "grid":
        made = np.round(made * 4) / 4
    return made.astype(np.float32)


def onto_boundary(module, picture, apart):
    """Move the last bias so that of the distance of an image's two best classes only this part is left."""
    last = module.layers[-1]
    got = scores(module, picture[None])[0]
    best, second = np.argsort(-got)[:2]
    with torch.no_grad():
        last.bias[int(second)] += float(got[best] - got[second]) * (1 - apart)


def write_onnx(module, path, shape, *, last=True):
    """The same network as an ONNX file that takes images (N, H, W, C), or (N, C, H, W) if not `last`."""
    import onnx
    from onnx import helper, numpy_helper

    height, width, channels = shape
    nodes, constants, names = [], [], ["image"]

    def constant(name, array):
        constants.append(numpy_helper.from_array(np.asarray(array, dtype=np.float32), name))
        return name

    def node(kind, reads, **attributes):
        name = f"v{len(nodes)}"
        nodes.append(helper.make_node(kind, reads, [name], **attributes))
        return name

    def parameters(layer, number):
        given = [("w", layer.weight)] + ([("b", layer.bias)] if layer.bias is not None else [])
        return [constant(f"{letter}{number}", tensor.detach().numpy()) for letter, tensor in given]

    if last:
        names[0] = node("Transpose", ["image"], perm=[0, 3, 1, 2])
    pair = lambda value: list(value) if isinstance(value, tuple) else [value, value]  # noqa: E731
    for number, (layer, reads) in enumerate(zip(module.layers, module.reads, strict=True)):
        given = [names[place] for place in reads]
        window = {}
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            pads = pair(layer.padding)
            window = {"kernel_shape": pair(layer.kernel_size), "strides": pair(layer.stride), "pads": pads + pads}
        match layer:
            case nn.Conv2d():
                made = node("Conv", given + parameters(layer, number), **window)
            case nn.ReLU():
                made = node("Relu", given)
            case nn.MaxPool2d():
                made = node("MaxPool", given, **window)
            case nn.AvgPool2d():
                made = node("AveragePool", given, count_include_pad=int(layer.count_include_pad), **window)
            case nn.BatchNorm2d():
                moments = [constant(f"m{number}", layer.running_mean), constant(f"s{number}", layer.running_var)]
                made = node("BatchNormalization", given + parameters(layer, number) + moments, epsilon=layer.eps)
            case nn.Flatten():
                made = node("Flatten", given)
            case nn.Linear():
                made = node("Gemm", given + parameters(layer, number), transB=1)
            case Plus():
                made = node("Add", given)
            case Normalise():
                less = node("Sub", [*given, constant(f"m{number}", layer.mean)])
                made = node("Div", [less, constant(f"s{number}", layer.std)])
        names.append(made)
    nodes[-1].output[0] = "scores"
    value = helper.make_tensor_value_info
    size = ["n", height, width, channels] if last else ["n", channels, height, width]
    graph = helper.make_graph(nodes, "g", [value("image", 1, size)], [value("scores", 1, None)], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def candidates(channels, pixels, rng):
    """(V, pixels, channels) values to try."""
    if channels == 1:
        grid = np.linspace(0, 1, {1: 65, 2: 9}.get(pixels, 3))
        return np.array(list(itertools.product(grid, repeat=pixels)))[..., None]
    corners = np.array(list(itertools.product((0.0, 1.0), repeat=channels * pixels))).reshape(-1, pixels, channels)
    return np.concatenate([corners, rng.random((24, pixels, channels))])


def fewest_by_force(module, picture, label, most, *, seed=0, refine=12):
    """The fewest pixels of any example found by trying values for all sets of pixels, then going on from the best few.

    Returns:
        The number, or infinity where none was found up to `most`.
    """
    rng = np.random.default_rng(seed)
    high, wide, channels = picture.shape
    double = picture.astype(np.float64)

    def margins(images):
        parts = [
            scores(module, images[start : start + 20_000].reshape(-1, high, wide, channels), torch.float64)
            for start in range(0, len(images), 20_000)
        ]
        got = np.concatenate(parts)
        others = np.delete(got, label, axis=1)
        return got[:, label] - others.max(1)

    def applied(sets, values):
        images = np.repeat(double.reshape(1, -1, channels), len(sets), axis=0)
        images[np.arange(len(sets))[:, None], sets] = values
        return images

    def flips(images, found):
        return (scores(module, images[found <= 0].reshape(-1, high, wide, channels), torch.float64).argmax(1) != label).any()

    for pixels in range(1, min(most, high * wide) + 1):
        values = candidates(channels, pixels, rng)
        every = np.array(list(itertools.combinations(range(high * wide), pixels)))
        sets, tried = np.repeat(every, len(values), axis=0), np.tile(values, (len(every), 1, 1))
        images = applied(sets, tried)
        found = margins(images)
        if flips(images, found):
            return pixels
        best = np.argsort(found)[:refine]
        sets, tried, found = sets[best], tried[best], found[best]
        for width in (0.2, 0.05, 0.01, 0.002):
            around = np.clip(tried[:, None] + rng.normal(0, width, (len(tried), 24, pixels, channels)), 0, 1)
            moved = applied(np.repeat(sets, 24, axis=0), around.reshape(-1, pixels, channels))
            got = margins(moved)
            if flips(moved, got):
                return pixels
            got = got.reshape(len(tried), 24)
            better = got.argmin(1)
            won = got.min(1) < found
            tried[won] = around[np.arange(len(tried)), better][won]
            found = np.minimum(found, got.min(1))
    return math.inf
