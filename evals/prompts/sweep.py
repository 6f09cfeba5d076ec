"""Accuracy by the number of candidates that get a second look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.prompting import DifferentialClassifier
from evals.prompts.comparison import Share, holm, mcnemar, wilson
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders import ImageTextEncoder
    from agents.prompting import PairDescriptions
    from agents.prompting.second_look.aggregation import Aggregate
    from agents.prompting.second_look.first_look import FirstLook

USUAL = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)
"""Numbers of candidates of a sweep: dense where the published program's 10 lies, since most images have few rivals."""
MOST_CLASSES = 100
"""Up to so many classes a sweep goes to all of them: the cost grows with the square of the candidates."""


@dataclass(frozen=True)
class KPoint:
    """The second look with k candidates, on the images of a sweep.

    Attributes:
        k: how many candidates.
        accuracy: accuracy with its 95 % interval.
        reachable: the share of images whose class is among the k candidates, which no second look can exceed.
        fixed: how many images are wrong at first look and right with k candidates.
        broken: how many images are right at first look and wrong with k candidates.
        p: the p value of the exact McNemar test of these counts.
        adjusted: p with regard to the number of points (Holm).
    """

    k: int
    accuracy: Share
    reachable: float
    fixed: int
    broken: int
    p: float
    adjusted: float


@dataclass(frozen=True)
class KSweep:
    """The points of a sweep by ascending k; with k = 1 the second look decides nothing."""

    points: tuple[KPoint, ...]


def usual_ks(classes: int) -> list[int]:
    """The numbers of candidates of a sweep over so many classes: some up to 50, and all classes where they are 100 at most."""
    return sorted({k for k in USUAL if k <= classes} | ({classes} if classes <= MOST_CLASSES else set()))


def k_sweep(
    encoder: ImageTextEncoder,
    class_names: Sequence[str],
    pairs: PairDescriptions | Mapping[Any, Any] | str | os.PathLike[str],
    embeddings: NDArray[np.float32],
    labels: NDArray[np.integer],
    *,
    ks: Sequence[int] = (),
    template: str = "a photo of a {}.",
    mix: float = 1.0,
    first: FirstLook = "template",
    aggregate: Aggregate = "embeddings",
) -> KSweep:
    """Decide with 1, 2, ... candidates, and count right images. Embeddings, similarities and sums of captions are shared.

    The k with the best accuracy is chosen on these images, and its accuracy flatters it: choose k on other images than those
    that judge it.

    Args:
        encoder: the encoder that made the image embeddings; it encodes the texts.
        class_names: the K classes.
        pairs: the descriptions of pairs.
        embeddings: N×D image embeddings.
        labels: N class indices.
        ks: numbers of candidates; those of `usual_ks` if empty.
        template: as in `DifferentialClassifier`.
        mix: as in `DifferentialClassifier`.
        first: as in `DifferentialClassifier`.
        aggregate: as in `DifferentialClassifier`.

    Raises:
        UsageError: as `DifferentialClassifier`, or a number of candidates is below 1 or above K, or there are no images.
    """
    wanted = sorted(set(ks)) or usual_ks(len(class_names))
    if wanted[0] < 1 or wanted[-1] > len(class_names):
        raise UsageError(f"numbers of candidates go from 1 to {len(class_names)}, as the classes do, not {list(ks)!r:.80}")
    truth = np.asarray(labels)
    if not len(truth) or len(truth) != len(embeddings):
        raise UsageError(f"{len(embeddings)} images and {len(truth)} labels; give one label for each of at least one image")
    classifier = DifferentialClassifier(
        encoder, class_names, pairs, k=wanted[-1], template=template, mix=mix, first=first, aggregate=aggregate
    )
    return sweep_of(classifier, embeddings, truth, wanted)


def sweep_of(
    classifier: DifferentialClassifier, embeddings: NDArray[np.float32], labels: NDArray[np.integer], ks: Sequence[int]
) -> KSweep:
    """The sweep of a classifier whose k is the largest of `ks`, which are ascending."""
    candidates, decided = classifier.decide_by_k(embeddings, ks)
    right = decided == labels[:, None]
    before = candidates[:, 0] == labels
    reachable = (candidates == labels[:, None]).cumsum(axis=1) > 0
    counts = [(int((right[:, at] & ~before).sum()), int((before & ~right[:, at]).sum())) for at in range(len(ks))]
    ps = [mcnemar(*one) for one in counts]
    return KSweep(
        tuple(
            KPoint(k, wilson(int(right[:, at].sum()), len(labels)), float(reachable[:, k - 1].mean()), *counts[at], p, adjusted)
            for at, (k, p, adjusted) in enumerate(zip(ks, ps, holm(ps), strict=True))
        )
    )


def sweep_text(sweep: KSweep) -> str:
    """The sweep as lines of text, one for each number of candidates."""
    lines = [f"{'candidates':>10}  {'accuracy':24}{'class among them':>18}{'fixed':>7}{'broken':>8}{'p (Holm)':>10}"]
    lines += [
        f"{one.k:>10}  {one.accuracy!s:24}{one.reachable:>18.1%}{one.fixed:>7}{one.broken:>8}{one.adjusted:>10.3g}"
        for one in sweep.points
    ]
    return "\n".join([*lines, "The best number of candidates is chosen on these images here: judge it on others."])
