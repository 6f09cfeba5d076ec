"""Maps of real models over real texts and pictures: `python benchmarks/verbalize.py --samples` prints what is said of them."""

from __future__ import annotations

import csv
import os
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy.demo.sentences import MAIL, NEWS, REVIEWS, SENTENCES
from verbalize import Query, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verbalize.saliency import PixelSaliency, Saliency

DATA = Path(os.environ.get("SAYWHY_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
LONG_REVIEW = (
    "We went in with high hopes and a big bag of popcorn. The first hour is slow, the second hour is slower, and by the time "
    "the film remembers that it is a comedy the whole "
    "row had stopped caring. The lead does what she can with a film that gives "
    "her nothing, the music is loud where it should be quiet, and the one good joke of the film is in the trailer. A film for "
    "nobody, then, and a waste of a good evening."
)
TEXTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("I couldn't put it down: a well-made, half-forgotten thriller that cost me $5.", REVIEWS),
    ("Not bad at all, but I've seen better.", REVIEWS),
    ("The cast is great. The script is not great, and the ending is anything but great.", REVIEWS),
    ("Shares fell 3.5% (the worst day since 2020) after the chip maker cut its outlook.", NEWS),
    ("Where is my parcel?\n\nI ordered two lamps on May 3rd. One came broken, the other never came.", MAIL),
    ("这部电影很好看，我非常喜欢。", REVIEWS),
    ("הסרט היה נהדר אבל ארוך מדי.", REVIEWS),
    (LONG_REVIEW, REVIEWS),
    ("meh", REVIEWS),
    ("Thank you so much, the lamp is lovely!", MAIL),
)
METHODS = ("integrated_gradients", "occlusion", "input_x_gradient", "shapley")


def text_maps() -> Iterator[TokenSaliency]:
    """Maps of all-MiniLM-L6-v2, used zero-shot: signed and unsigned, pointwise and contrastive, with and without the text."""
    from verbalize.attribution import ZeroShotClassifier, attribute_tokens, load_minilm

    model, tokenizer = load_minilm()
    given = [(sentence.text, dict(sentence.classes)) for sentence in SENTENCES] + [(text, dict(kind)) for text, kind in TEXTS]
    for (text, classes), method, number in zip(given, cycle(METHODS), range(len(given)), strict=False):
        classifier = ZeroShotClassifier(model, tokenizer, classes)
        found = attribute_tokens(classifier, text, method=method)
        yield found
        if number % 3 == 0 and found.prediction:
            second = sorted(found.prediction.scores, key=lambda label: -found.prediction.scores[label])[1]
            yield attribute_tokens(classifier, text, Query(found.prediction.label, versus=(second,)), method=method)
        if number % 4 == 2:
            yield TokenSaliency(
                found.tokens, np.abs(found.scores), found.query, text, found.offsets, found.prediction, signed=False
            )
    for text in published_texts(4):
        classifier = ZeroShotClassifier(model, tokenizer, dict(REVIEWS))
        found = attribute_tokens(classifier, text, method="integrated_gradients")
        yield TokenSaliency(found.tokens, found.scores, found.query, special=found.special)


def published_texts(count: int) -> Iterator[str]:
    """Film reviews of the published study, in the spelling of BERT's tokenizer; none if its files are not here."""
    path = DATA / "smv_crowd" / "IMDb_labels_and_texts.csv"
    if not path.exists():
        print(f"({path} is not here: no maps without a text)")
        return
    with path.open(encoding="utf-8", newline="") as file:
        texts = dict.fromkeys(row["Input Text"].strip('" ') for row in csv.DictReader(file) if row["Input Text"])
    yield from islice(texts, 2, 2 + count)


def picture_maps() -> Iterator[PixelSaliency]:
    """Class activation maps and occlusion maps of the sign classifier and, if its files are here, of a CIFAR-10 network."""
    from saywhy import signs
    from saywhy.demo.pictures import LAST_LAYER, SIGNS, clear_signs
    from verbalize.attribution import attribute_cam, attribute_pixels

    classifier = signs.load()
    pictures, names = clear_signs(), classifier.class_names
    for (name, other), method in zip(SIGNS, cycle(("layer_cam", "occlusion")), strict=False):
        if method == "layer_cam":
            yield attribute_cam(classifier.module(), pictures[name], Query(name), layer=LAST_LAYER, class_names=names)
        else:
            asked = Query(name, versus=(other,))
            yield attribute_pixels(classifier.module(), pictures[name], asked, class_names=names, method=method, patch=8)
    folder = DATA / "cifar10"
    if not folder.exists():
        print(f"({folder} is not here: no maps of CIFAR-10)")
        return
    network, images = resnet20(folder / "resnet20.npz"), np.load(folder / "cifar10_test_png.npz")["images"]
    for image, method in zip(images[:16], cycle(("grad_cam", "layer_cam", "occlusion", "integrated_gradients")), strict=False):
        if method.endswith("cam"):
            yield attribute_cam(network, image, layer="layer3", class_names=CIFAR, method=method)
        else:
            yield attribute_pixels(network, image, class_names=CIFAR, method=method)


def real_maps() -> Iterator[Saliency]:
    """All of them, texts and pictures."""
    yield from text_maps()
    yield from picture_maps()


def resnet20(weights: Path) -> Any:
    """ResNet-20 for CIFAR-10 (He et al. 2016; shortcuts without weights), with its normalisation inside."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self, inside: int, outside: int) -> None:
            super().__init__()
            self.stride, self.grown = outside // inside, outside - inside
            self.conv1 = nn.Conv2d(inside, outside, 3, self.stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outside)
            self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outside)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            kept = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.grown // 2, self.grown // 2))
            inner = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
            return functional.relu(inner + kept)

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
            self.layer1 = nn.Sequential(*(Block(16, 16) for _ in range(3)))
            self.layer2 = nn.Sequential(Block(16, 32), Block(32, 32), Block(32, 32))
            self.layer3 = nn.Sequential(Block(32, 64), Block(64, 64), Block(64, 64))
            self.linear = nn.Linear(64, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            mean, spread = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
            x = (x - mean[:, None, None]) / spread[:, None, None]
            x = self.layer3(self.layer2(self.layer1(functional.relu(self.bn1(self.conv1(x))))))
            return self.linear(x.mean(dim=(2, 3)))

    network = Network()
    with np.load(weights) as held:
        network.load_state_dict({name: torch.from_numpy(held[name]) for name in held.files}, strict=False)
    return network.eval()
