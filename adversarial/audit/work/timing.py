"""How fast a classifier answers, by one batch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from adversarial.attack import BATCH
from saywhy_core.classifiers import ClassifierError, EndpointError
from saywhy_core.classifiers.classifier import WidthError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from saywhy_core.classifiers import Classifier


def timing_queries(classifier: Classifier, batch_size: int | None) -> int:
    """How many queries `images_per_second` makes: a batch of a classifier that runs here, one of an endpoint."""
    return 1 if getattr(classifier, "remote", False) else batch_size or BATCH


def images_per_second(classifier: Classifier, image: NDArray[np.float32], count: int) -> float | None:
    """About how many images per second a classifier answers; None where it can't answer this one.

    Args:
        classifier: the classifier.
        image: (H, W, C), what it is asked.
        count: how often in all, see `timing_queries`: the first time by itself, since the first call of a network prepares
            much.

    Raises:
        EndpointError: the endpoint is down.
        WidthError: it has another number of classes than was said, so that it can answer no image.
    """
    taken, timed = 0.0, 0
    for size in (1, count - 1):
        if size == 0:
            break
        start = time.perf_counter()
        try:
            classifier.ask_again(np.repeat(image[None], size, axis=0))
        except (EndpointError, WidthError):
            raise
        except ClassifierError:  # it is this image that can't be answered, which the audit will tell
            return None
        taken, timed = time.perf_counter() - start, size
    calls = int(getattr(classifier, "concurrency", 1) or 1) if getattr(classifier, "remote", False) else 1
    return timed * calls / max(taken, 1e-6)
