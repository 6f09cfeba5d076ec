"""A made-up space of texts and images, descriptions of four classes, and a scripted chat model."""

from __future__ import annotations

import itertools

import numpy as np

from agents import PairDescriptions
from agents.prompting import Contrast

NAMES = ("cat", "dog", "owl", "fish")


class Space:
    """Every text has a direction of its own; an image is its own embedding, of eight numbers."""

    def __init__(self, scale=100.0, batches=None):
        self.scale, self.identity, self.truncated, self.batches = scale, "space", 0, batches

    def encode_texts(self, texts):
        if self.batches is not None:
            self.batches.append(len(texts))
        rows = [np.random.default_rng(list(text.encode()) or [0]).normal(size=8) for text in texts]
        rows = np.array(rows).reshape(-1, 8)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def encode_images(self, images):
        return np.asarray(images, dtype=np.float32).reshape(len(images), -1)[:, :8]


class Turned(Space):
    """Another space."""

    def encode_texts(self, texts):
        return super().encode_texts(texts)[:, ::-1].copy()


SPACE, TURNED = Space(), Turned()
EMBEDDED = np.random.default_rng(1).normal(size=(24, 8)).astype(np.float32)
IMAGES = np.random.default_rng(2).random((24, 2, 2, 3), dtype=np.float32)
LABELS = np.arange(24) % 4


def contrasts(*captions):
    return [Contrast("look", pair) for pair in captions]


ENTRIES = {
    (i, j): contrasts((f"a {NAMES[i]} not {NAMES[j]}", f"a {NAMES[j]} not {NAMES[i]}"))
    for i, j in itertools.combinations(range(4), 2)
}
PAIRS = PairDescriptions(ENTRIES, dict(enumerate(NAMES)))
OTHERS = PairDescriptions({(0, 1): contrasts(("furry", "loud"))}, dict(enumerate(NAMES)))
LIBRARY = PAIRS.by_class(NAMES)


def chat(tools, default='{"value": 3}', name="m", **options):
    from agents import chat_model

    tools.asked = tools.server(default=default)
    return chat_model(f"{tools.asked.url}#{name}", **options)
