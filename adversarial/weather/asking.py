"""A classifier asked about an image in the weather, and about a finding that was saved and read back.

The questions are generators in the form of a search (`adversarial.query_log.Search`): they yield images and are sent scores, so
that a driver can put the questions of many images into the same batches. `ask_weather` and `ask_survival` ask a classifier
themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

from adversarial.weather.changing import each_weather
from adversarial.weather.kind import STANDARD_SEVERITIES
from adversarial.weather.saving import survival_images
from saywhy_core.classifiers.classifier import ask, confidence
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    from saywhy_core.classifiers import Classifier, Scores

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]

Found = TypeVar("Found")

TOGETHER = 64_000_000  # bytes of images that are made before they are asked about: all of a small image, one of a large one


@dataclass(frozen=True)
class WeatherOutcome:
    """What the classifier says about an image in one kind of weather.

    Attributes:
        kind: the name of the kind.
        severity: from 1 to 5.
        value: the strength of that severity, in the kind's own unit.
        predicted: the class with the highest score.
        confidence: the probability of that class; None where the scores tell none, because the classifier answers with classes.
        flipped: whether that class is another one than the label.
    """

    kind: str
    severity: int
    value: float
    predicted: int
    confidence: float | None
    flipped: bool


def weather_steps(
    image: Images,
    label: int,
    kinds: Sequence[str] | None = None,
    severities: Sequence[int] = STANDARD_SEVERITIES,
    *,
    scores: Scores = "logits",
    seed: int = 0,
    levels: int | None = None,
) -> Generator[Images, Floats, list[WeatherOutcome]]:
    """Ask about an image in the weather: yields images (N, H, W, C), is sent their scores (N, K), and returns the outcomes.

    It yields `weather_queries(kinds, severities)` images in all; those of a large image a few at a time.

    Args:
        image: (H, W, C) floats in [0, 1].
        label: the number of the class that is right.
        kinds: see `weather_images`.
        severities: see `weather_images`.
        scores: what kind of scores is sent.
        seed: see `weather_images`.
        levels: see `weather_images`.

    Raises:
        UsageError: an argument is wrong, or a kind of another distribution fails.
    """
    _check_class("label", label)
    made = each_weather(image, kinds, severities, seed=seed, levels=levels)
    size = max(1, TOGETHER // max(1, np.asarray(image).size * 4))
    outcomes: list[WeatherOutcome] = []
    while part := list(islice(made, size)):
        rows = yield np.stack([one.image for one in part])
        _check_class("label", label, rows)
        winners = rows.argmax(axis=1)
        sure = confidence(rows, scores)
        told = [None] * len(rows) if sure is None else [float(one) for one in sure]
        outcomes += [
            WeatherOutcome(one.kind, one.severity, one.value, int(winner), probability, int(winner) != label)
            for one, winner, probability in zip(part, winners, told, strict=True)
        ]
    return outcomes


def survival_steps(
    adversarial: Images, label: int, target: int | None = None, *, levels: int | None = None
) -> Generator[Images, Floats, dict[str, bool]]:
    """Ask whether an adversarial image still is one after being saved and read back: as PNG, and as JPEG of quality 90.

    It yields two images and returns {"png": whether it survives, "jpeg": whether it survives}.

    Args:
        adversarial: (H, W, C) floats in [0, 1].
        label: the number of the class to get away from.
        target: the number of the class to reach; None for any class but the label.
        levels: see `survival_images`.

    Raises:
        UsageError: the image or `levels` is wrong.
    """
    given = {"label": label} if target is None else {"label": label, "target": target}
    for name, number in given.items():
        _check_class(name, number)
    saved = survival_images(adversarial, levels=levels)
    rows = yield np.stack(list(saved.values()))
    for name, number in given.items():
        _check_class(name, number, rows)
    winners = rows.argmax(axis=1)
    reached = winners != label if target is None else winners == target
    return dict(zip(saved, map(bool, reached), strict=True))


def ask_weather(
    classifier: Classifier,
    image: Images,
    label: int,
    kinds: Sequence[str] | None = None,
    severities: Sequence[int] = STANDARD_SEVERITIES,
    *,
    seed: int = 0,
    levels: int | None = None,
) -> list[WeatherOutcome]:
    """What the classifier says about an image in each kind of weather at each severity; see `weather_steps`.

    Raises:
        UsageError: an argument is wrong, or a kind of another distribution fails.
        ClassifierError: from the classifier.
    """
    return _answered(
        classifier,
        weather_steps(image, label, kinds, severities, scores=classifier.scores, seed=seed, levels=levels),
    )


def ask_survival(
    classifier: Classifier, adversarial: Images, label: int, target: int | None = None, *, levels: int | None = None
) -> dict[str, bool]:
    """Whether an adversarial image still is one after being saved as PNG and as JPEG; see `survival_steps`.

    Raises:
        UsageError: the image or `levels` is wrong.
        ClassifierError: from the classifier.
    """
    return _answered(classifier, survival_steps(adversarial, label, target, levels=levels))


def _check_class(name: str, number: object, rows: Floats | None = None) -> None:
    """See whether it is the number of a class, and of one of those in the answers (N, K)."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 0:
        raise UsageError(f"{argument(name)} must be the number of a class, counted from 0, not {number!r}")
    if rows is not None and number >= rows.shape[1]:
        raise UsageError(f"{argument(name)}: there is no class {number}; the classifier has {rows.shape[1]}, counted from 0")


def _answered(classifier: Classifier, steps: Generator[Images, Floats, Found]) -> Found:
    try:
        images = next(steps)
        while True:
            images = steps.send(ask(classifier, images))
    except StopIteration as end:
        found: Found = end.value
        return found
