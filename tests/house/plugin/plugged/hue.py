"""A kind of encoder: `hue:WORDS` puts images by their mean colour beside texts by the colour words in them."""

from __future__ import annotations

import numpy as np

from saywhy_core.images import read_image

COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}


class Hue:
    """Rows of length 1: red, green, blue."""

    identity = "hue"

    def encode_images(self, images):
        """The mean colour of each image."""
        arrays = [image if isinstance(image, np.ndarray) else read_image(image) for image in images]
        return unit([array.mean(axis=(0, 1)) for array in arrays])

    def encode_texts(self, texts):
        """The sum of the colours that a text names; grey where it names none."""
        return unit([sum((np.array(rgb) for word, rgb in COLOURS.items() if word in text), np.full(3, 0.01)) for text in texts])


def unit(rows):
    """Rows of length 1."""
    rows = np.asarray(rows, dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def load(where, *, device, batch):
    """The encoder; it has one form, needs no device, and takes batches of any size."""
    del where, device, batch
    return Hue()
