"""What loaders of torch and datasets of Hugging Face hand over: with labels, as mappings, one by one or in batches."""

from collections import UserDict

import numpy as np
import pytest
import torch
from models_to_explain import NAMES, TEXTS, cnn
from PIL import Image
from torch.utils.data import DataLoader

from saywhy_core.errors import UsageError
from verbalize import attribute

IMAGES = (np.random.default_rng(0).integers(0, 256, (5, 12, 9, 3)) / 255).astype(np.float32)
FIRST = torch.from_numpy(IMAGES).permute(0, 3, 1, 2)
LABELS = torch.tensor([0, 1, 2, 0, 1])
LINES = ["the film is good", "bad film", "not bad", "good", "the film"]
PICTURES = [Image.fromarray(np.round(one * 255).astype(np.uint8)) for one in IMAGES]


def _rows(**columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _flat(maps):
    return [one for batch in maps for one in (batch if isinstance(batch, list) else [batch])]


OF_IMAGES = {
    "pairs": lambda: DataLoader(list(zip(FIRST, LABELS, strict=True)), batch_size=2),
    "triples": lambda: DataLoader(list(zip(FIRST, LABELS, range(5), strict=True)), batch_size=2),
    "batches of two images": lambda: iter([list(IMAGES[:2]), list(IMAGES[2:4]), list(IMAGES[4:])]),
    "image": lambda: DataLoader(_rows(image=FIRST, label=LABELS), batch_size=2),
    "pixel_values": lambda: DataLoader(_rows(label=LABELS, pixel_values=FIRST), batch_size=3),
    "nested": lambda: DataLoader([{"inputs": {"pixel_values": one}, "labels": 1} for one in FIRST], batch_size=2),
    "only another name": lambda: DataLoader(_rows(photo=FIRST, label=LABELS), batch_size=2),
    "a mapping that is no dict": lambda: iter([UserDict(images=FIRST[:4]), UserDict(images=FIRST[4:])]),
    "mapping and labels": lambda: iter([({"img": FIRST[:3]}, LABELS[:3]), ({"img": FIRST[3:]}, LABELS[3:])]),
    "examples": lambda: iter(_rows(image=PICTURES, label=LABELS.tolist())),
    "pairs of a dataset": lambda: iter(list(zip(FIRST, LABELS.tolist(), strict=True))),
    "a list of examples": lambda: _rows(image=PICTURES, label=LABELS.tolist()),
    "a list of pairs": lambda: list(zip(FIRST, LABELS, strict=True)),
    "one batch": lambda: {"image": FIRST, "label": LABELS},
    "lists of pictures": lambda: iter([{"image": PICTURES[:2], "label": [0, 1]}, {"image": PICTURES[2:], "label": [2, 0, 1]}]),
}
OF_TEXTS = {
    "pairs": lambda: DataLoader(list(zip(LINES, LABELS, strict=True)), batch_size=2),
    "labels that are names": lambda: DataLoader(list(zip(LINES, "abcab", strict=True)), batch_size=2),
    "text": lambda: DataLoader(_rows(text=LINES, label=LABELS), batch_size=2),
    "nested": lambda: DataLoader([{"inputs": {"sentence": line}, "label": 0} for line in LINES], batch_size=3),
    "examples": lambda: iter(_rows(idx=range(5), text=LINES, label=[0] * 5)),
    "one batch": lambda: {"text": LINES, "label": [0] * 5},
    "two texts in a batch": lambda: iter([LINES[:2], tuple(LINES[2:4]), LINES[4:]]),
}


@pytest.mark.parametrize("form", OF_IMAGES)
def test_images(form):
    expected = attribute(cnn(), IMAGES, method="saliency", class_names=NAMES)
    found = _flat(attribute(cnn(), OF_IMAGES[form](), method="saliency", class_names=NAMES))
    assert len(found) == 5
    for one, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.scores, wanted.scores, atol=1e-5)


@pytest.mark.parametrize("form", OF_TEXTS)
def test_texts(form):
    model = TEXTS["sequence"](torch.float32)
    found = _flat(attribute(model, OF_TEXTS[form](), method="saliency"))
    assert [one.text for one in found] == LINES


def test_one_example_is_one_input():
    assert attribute(cnn(), {"image": PICTURES[0], "label": 1}, method="saliency", class_names=NAMES).shape == (12, 9)
    assert attribute(TEXTS["sequence"](torch.float32), {"text": "good film", "label": 1}, method="saliency").text == "good film"


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        ({"left": FIRST, "right": FIRST}, "which field of the batch holds the inputs is not clear: it has left, right"),
        ({"label": LABELS}, "the field should be named pixel_values, image"),
    ],
)
def test_unclear_batches_of_images(batch, says):
    with pytest.raises(UsageError, match=says):
        next(attribute(cnn(), iter([batch]), method="saliency", class_names=NAMES))


def test_tokenized_texts_are_refused():
    batch = {"input_ids": torch.ones(2, 4, dtype=torch.long), "attention_mask": torch.ones(2, 4, dtype=torch.long)}
    for one in (batch, {"input_ids": batch["input_ids"], "labels": [0, 1]}):
        with pytest.raises(UsageError, match="before they are tokenized"):
            attribute(TEXTS["sequence"](torch.float32), one, method="saliency")


def test_normalised_pixels_are_refused():
    with pytest.raises(UsageError, match=r"\[0, 1\]|between 0 and 1"):
        attribute(cnn(), {"pixel_values": FIRST * 4 - 2}, method="saliency", class_names=NAMES)
