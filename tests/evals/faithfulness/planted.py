"""Models and maps of which it is known which part is decisive."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from verbalize import PixelSaliency, Query
from verbalize.models import TextFunction

SIDE = 16
NAMES = ("object", "other")


class Additive(nn.Module):
    """The first logit is a weighted sum of the pixels; the weights are large in one square and small elsewhere."""

    def __init__(self, top=4, left=8, size=4, rest=0.002):
        super().__init__()
        weights = torch.full((SIDE, SIDE), rest)
        weights[top : top + size, left : left + size] = 0.3
        self.register_buffer("weights", weights)
        self.eval()

    def forward(self, images):
        evidence = (images.mean(dim=1) * self.weights).sum(dim=(1, 2))
        return torch.stack([evidence - 1.0, torch.zeros_like(evidence)], dim=1)


class Grouped(Additive):
    """Five classes: the decisive square speaks for the object and, at half the rate, for its kin."""

    def forward(self, images):
        evidence = (images.mean(dim=1) * self.weights).sum(dim=(1, 2))
        flat = torch.zeros_like(evidence)
        return torch.stack([evidence - 1.0, 0.5 * evidence - 1.0, flat, flat + 1.0, flat + 1.0], dim=1)


GROUPS = {"things": ["object", "kin"], "rest": ["other"]}
GROUPED_NAMES = ("object", "kin", "other", "far", "last")


class Gated(Additive):
    """The rest of the image helps where the square is hidden, and harms where it is there: the order of adding matters."""

    def forward(self, images):
        grey = images.mean(dim=1)
        inside = self.weights > 0.1
        seen = (grey * inside).sum(dim=(1, 2)) / inside.sum()
        rest = (grey * ~inside).sum(dim=(1, 2)) / (~inside).sum()
        evidence = 5 * seen + rest * (1 - 4 * seen)
        return torch.stack([evidence, torch.zeros_like(evidence)], dim=1)


def images(count, seed=0):
    return np.random.default_rng(seed).uniform(0.5, 1.0, (count, SIDE, SIDE, 3)).astype(np.float32)


def good_maps(count=6, model=None):
    """The exact contribution of each pixel, where hidden pixels are black."""
    weights = (model or Additive()).weights.numpy()
    signed = bool((weights < 0).any())
    return [PixelSaliency(image.mean(axis=2) * weights, Query("object"), image=image, signed=signed) for image in images(count)]


def words(text):
    """A text function for which the word "vile" decides."""
    return [2.0 - 4.0 * ("vile" in text.split()) - 0.01 * len(text.split()), 0.0]


def text_model(calls=None):
    def answer(texts):
        if calls is not None:
            calls.extend(texts)
        return [words(text) for text in texts]

    return TextFunction(answer, ("good", "bad"))
