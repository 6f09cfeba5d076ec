"""A kind of target: `bright:0.4` says whether an image's mean value lies above 0.4."""

from __future__ import annotations

import numpy as np

from saywhy_core.classifiers import CallableClassifier
from saywhy_core.errors import UsageError

STEEPNESS = 20.0  # logits per unit of brightness


def load(where, *, class_names=("dark", "bright")):
    """The classifier with the threshold `where`."""
    try:
        threshold = float(where)
    except ValueError:
        raise UsageError(f"bright:{where} names no threshold; write for example bright:0.5") from None

    def logits(images):
        above = STEEPNESS * (np.asarray(images, dtype=np.float64).mean(axis=(1, 2, 3)) - threshold)
        return np.stack([-above, above], axis=1)

    return CallableClassifier(logits, scores="logits", class_names=list(class_names))
