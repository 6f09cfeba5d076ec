"""An examination of a classifier: a few images are asked about in several ways, and likely mistakes of the settings are named.

No answer proves a setting wrong, so that each finding says how sure it is. A network that gets its images as it was trained on
them tells its first class from the others more clearly than otherwise: what is compared is the lead of the first class over the
second, in standard deviations of the row, which no factor on the scores changes (confidence would rise with every larger range
of values). Where labels are known, the images that are answered rightly are compared as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from saywhy_core.classifiers.callable_classifier import CallableClassifier
from saywhy_core.classifiers.classifier import (
    ClassifierError,
    EndpointError,
    ask,
    ask_some_again,
    comparable,
    confidence,
    same_answer,
)
from saywhy_core.classifiers.examining.variants import VARIANTS, Variant
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from saywhy_core.classifiers.classifier import Classifier

    Scores = NDArray[np.float64]

ENOUGH = 5
"""Images from which on a finding may be likely; fewer tell of what is possible only."""
CLEARER = 1.25
"""How much greater the lead must be on average. On the right settings of seven networks, no variant came above 1.18."""
MOST = 0.75
"""The share of images whose lead must be greater."""
MUCH_CLEARER, CLEAR = 5.0, 1.0
"""How much greater the lead must be for each of a few images, and how great: a single one near a border varies much."""
CHANCE = 0.02
"""The probability up to which chance is no explanation of more right answers (one-sided sign test)."""
NEAR = 0.05
"""Confidences of the first class that differ by no more are nearly the same; a change that a network feels makes more."""
FEW, MANY = 0.1, 0.2
"""Shares of images: so few different decisions are suspicious where a variant gives so many."""


@dataclass(frozen=True)
class Finding:
    """A likely mistake.

    Attributes:
        name: for programs, such as "bgr".
        sure: "certain" (it was seen), "likely", or "possible" (a few images say little).
        text: one sentence, with what to try.
    """

    name: str
    sure: Literal["certain", "likely", "possible"]
    text: str


@dataclass(frozen=True)
class Examination:
    """What was found.

    Attributes:
        scores: (N, K) the answers to the images as they are.
        findings: likely mistakes, the surest first.
        tried: the variants that were asked, with the share of images that they answer rightly (None without labels) and
            their lead, relative to the images as they are.
        untold: the variants that may be right as well as the images as they are, by all that the answers tell: "same" where
            each image gets the same class with nearly the same confidence, and "unclear" where neither way is clearer.
        queries: how many images were asked about, variants included.
    """

    scores: NDArray[np.float64]
    findings: tuple[Finding, ...]
    tried: dict[str, dict[str, float | None]]
    untold: dict[str, Literal["same", "unclear"]]
    queries: int

    def untold_in_words(self) -> list[str]:
        """What the answers don't tell, one sentence for each reason."""
        one = len(self.scores) == 1
        images = "this image" if one else f"these {len(self.scores)} images"
        reasons: tuple[tuple[Literal["same", "unclear"], str], ...] = (
            ("same", f"{'it' if one else 'they'} would get the same class, and nearly the same confidence"),
            ("unclear", "the answers would be neither clearly better nor clearly worse"),
        )
        told = []
        for kind, reason in reasons:
            words = [f"if {variant.words}" for variant in VARIANTS if self.untold.get(variant.name) == kind]
            if words:
                listed = ", or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
                told.append(f"can't tell from {images}: {reason}, {listed}")
        return told


def examine(
    classifier: Classifier,
    images: NDArray[np.float32],
    labels: Sequence[int | None] | None = None,
    *,
    options: Sequence[str] | None = None,
) -> Examination:
    """Ask about the images as they are, again, and in each variant, and name likely mistakes.

    Args:
        classifier: the classifier. Variants beyond [0, 1] are asked of its function, if it is a `CallableClassifier`.
        images: (N, H, W, C) in [0, 1], the more and the more different the better.
        labels: the true class of each image, None where it is not known.
        options: the options that the target has, for the advice; None for a function of the user's own.

    Raises:
        ClassifierError: it can't answer the images as they are.
        UsageError: the labels are more or fewer than the images.
    """
    if labels is not None and len(labels) != len(images):
        raise UsageError(
            f"there are {len(images)} images and {len(labels)} labels; give one for each, None where it is unknown"
        )
    known = [-1 if label is None else label for label in labels or [None] * len(images)]
    truth = np.array(known, dtype=np.int64)
    before = classifier.queries
    scores = ask(classifier, images)
    findings = [*_unsteady(classifier, images, scores), *_of_answers(classifier, images, scores)]
    queries = classifier.queries - before
    tried: dict[str, dict[str, float | None]] = {}
    untold: dict[str, Literal["same", "unclear"]] = {}
    found: list[tuple[float, Finding]] = []
    for variant in VARIANTS:
        other = _asked(classifier, images, variant)
        if other is None:
            continue
        queries += len(images)
        judged = _judge(variant, scores, other, truth, classifier, options)
        tried[variant.name] = {"lead": judged[0], "right": _right(other, truth)}
        if judged[1] is not None:
            found.append((judged[0], judged[1]))
        elif (
            _judge(variant, other, scores, truth, classifier, options)[1] is None
        ):  # the other way round, nothing is named either
            untold[variant.name] = "same" if _nearly_same(scores, other, classifier) else "unclear"
    if found:  # the clearest alone: several variants resemble each other
        findings.append(max(found, key=lambda pair: (pair[1].sure == "likely", pair[0]))[1])
    order = ("certain", "likely", "possible")
    return Examination(scores, tuple(sorted(findings, key=lambda one: order.index(one.sure))), tried, untold, queries)


def answerable(classifier: Classifier, images: NDArray[np.float32]) -> dict[int, str]:
    """Which of the images (N, H, W, C) the classifier can't answer, with the reason; asked together, and then alone.

    Raises:
        EndpointError: the endpoint is down, or refuses us.
    """
    try:
        ask(classifier, images)
    except EndpointError:
        raise
    except ClassifierError as error:
        if len(images) == 1:
            return {0: str(error)}
    else:
        return {}
    refused = {}
    for place, image in enumerate(images):
        try:
            ask(classifier, image[None])
        except EndpointError:
            raise
        except ClassifierError as error:
            refused[place] = str(error)
    return refused


def _asked(classifier: Classifier, images: NDArray[np.float32], variant: Variant) -> Scores | None:
    """The answers to a variant; None where it has no meaning for these images, or the classifier can't answer it."""
    if variant.colours and images.shape[-1] != 3:
        return None
    if not isinstance(classifier, CallableClassifier) or (classifier.levels is not None and not variant.inside):
        if not variant.inside:
            return None
        try:
            return classifier(np.ascontiguousarray(variant.change(images)))
        except ClassifierError:
            return None
    function = classifier.predict
    shadow = CallableClassifier(
        lambda given: function(np.ascontiguousarray(variant.change(given), dtype=np.float32)),
        classifier.scores,
        classifier.class_names,
        batch_size=classifier.batch_size,
    )
    try:
        return shadow(images)
    except ClassifierError:
        return None


def _judge(
    variant: Variant, scores: Scores, other: Scores, truth: NDArray[np.int64], classifier: Classifier, options: Any
) -> tuple[float, Finding | None]:
    """How much clearer the variant's answers are, and what that says."""
    if other.shape != scores.shape:
        return 0.0, None
    images = len(scores)
    here, there = _leads(scores, classifier), _leads(other, classifier)
    ratio = float(there.mean() / max(here.mean(), 1e-9))
    known = truth >= 0
    was, would = (scores.argmax(axis=1) == truth)[known], (other.argmax(axis=1) == truth)[known]
    gained, lost = int((would & ~was).sum()), int((was & ~would).sum())
    few, many = len(set(scores.argmax(axis=1))), len(set(other.argmax(axis=1)))
    sure: Literal["likely", "possible"] | None = None
    why = ""
    if gained > lost and _chance(gained, gained + lost) <= CHANCE:
        sure, why = "likely", f"{int(would.sum())} of {int(known.sum())} labels are right then, and {int(was.sum())} are now"
    elif lost > gained or classifier.scores == "label":
        pass
    elif images >= ENOUGH:
        varied = many >= MANY * min(images, scores.shape[1]) and few <= max(1, FEW * images)
        if ratio >= CLEARER and (there > here).mean() >= MOST and many > 1 and many >= few / 2:
            sure, why = "likely", f"the first class then leads by {ratio:.1f} times as much"
        elif varied and many > 2 * few:
            sure, why = "likely", f"{many} different classes are answered then, and {few} now"
    elif ((there >= MUCH_CLEARER * here) & (there >= CLEAR)).all() or (gained == images and ratio > CLEARER):
        sure, why = "possible", f"the first class then leads by {ratio:.1f} times as much"
    if sure is None:
        return ratio, None
    has = options is not None and variant.needs in options
    advice = f"try {variant.option}" if has else f"see to it in your function, as {variant.option} would"
    doubt = f"; {images} image{'s' if images > 1 else ''} say{'s' if images == 1 else ''} little, give {ENOUGH} or more"
    text = f"the answers are clearer if {variant.words}: {why}; {advice}{doubt if sure == 'possible' else ''}"
    return ratio, Finding(variant.name, sure, text)


def _leads(scores: Scores, classifier: Classifier) -> Scores:
    """(N,) the lead of the first class over the second, in standard deviations of the row."""
    values = comparable(scores, classifier.scores)
    first = np.sort(values, axis=1)
    return np.asarray((first[:, -1] - first[:, -2]) / np.maximum(values.std(axis=1), 1e-9))


def _nearly_same(scores: Scores, other: Scores, classifier: Classifier) -> bool:
    """Whether each image gets the same class both ways, with nearly the same confidence."""
    if other.shape != scores.shape or (scores.argmax(axis=1) != other.argmax(axis=1)).any():
        return False
    here, there = confidence(scores, classifier.scores), confidence(other, classifier.scores)
    return here is None or there is None or bool(np.abs(here - there).max() <= NEAR)


def _right(scores: Scores, truth: NDArray[np.int64]) -> float | None:
    known = truth >= 0
    return float((scores.argmax(axis=1) == truth)[known].mean()) if known.any() else None


def _chance(gained: int, changed: int) -> float:
    """The probability of at least so many gains among the changes if each were a gain or a loss by chance."""
    return float(sum(math.comb(changed, number) for number in range(gained, changed + 1)) / 2.0**changed)


def _unsteady(classifier: Classifier, images: NDArray[np.float32], scores: Scores) -> list[Finding]:
    """Answers that change from one time to the next, or with the other images in the batch."""
    try:
        again = ask_some_again(classifier, images, len(images))
    except EndpointError:
        raise
    except ClassifierError as error:  # each was answered before
        text = f"images that were answered are not answered again, or not in one batch ({error}); try batch_size=1"
        return [Finding("batch", "certain", text)]
    if not all(same_answer(first, second) for first, second in zip(scores, again, strict=True)):
        return [
            Finding(
                "not deterministic", "certain",
                "the same images were answered otherwise the second time; the attack needs --tolerate-noise for such a target",
            )
        ]  # fmt: skip
    if len(images) > 1:
        alone = np.concatenate([ask_some_again(classifier, image[None], 1) for image in images[:ENOUGH]])
        if not all(same_answer(first, second) for first, second in zip(scores[: len(alone)], alone, strict=True)):
            text = "images are answered otherwise in a batch than alone; try batch_size=1"
            return [Finding("batch", "certain", text)]
    return []


def _of_answers(classifier: Classifier, images: NDArray[np.float32], scores: Scores) -> list[Finding]:
    """What the answers tell by themselves."""
    kind, classes = classifier.scores, scores.shape[1]
    different = len(np.unique(images.reshape(len(images), -1), axis=0))
    if different > 1 and np.ptp(scores, axis=0).max() <= 1e-9 * max(1.0, np.abs(scores).max()):
        many = different >= ENOUGH
        text = f"{different} different images get exactly the same answer; does the target read them at all?"
        return [] if kind == "label" and not many else [Finding("constant", "certain" if many else "possible", text)]
    found = []
    enough = len(images) >= ENOUGH
    sums = np.abs(scores.sum(axis=1) - 1)
    if kind == "logits" and scores.min() >= 0 and scores.max() <= 1 and sums.max() < 1e-3:
        text = "the scores are between 0 and 1 and sum to 1, as probabilities do; try scores=probabilities"
        found.append(Finding("probabilities", "likely", text))
    # the softmax of probabilities lies between 1/(e+K-1) and e/(e+K-1), and no two of its values differ by more than e
    if (
        kind == "probabilities"
        and (scores.max(axis=1) <= math.e * (1 + 1e-4) * scores.min(axis=1)).all()
        and (scores > 0).all()
    ):
        highest = f"no class gets more than {scores.max():.3g}, and none is e times as probable as another"
        text = f"{highest}, as after a second softmax over {classes} classes; leave one out, if there are two"
        found.append(Finding("softmax twice", "likely" if enough else "possible", text))
    still = np.ptp(scores, axis=0) <= 1e-9 * max(1.0, np.abs(scores).max())
    if kind in ("logits", "probabilities") and different >= ENOUGH and 0 < still.sum() < classes:
        names = classifier.class_names
        dead = [str(place) if names is None else names[place] for place in np.flatnonzero(still)[:5]]
        text = (
            f"{int(still.sum())} of {classes} classes get the same score for every image ({', '.join(dead)}); "
            "are there as many classes as the target says?"
        )
        found.append(Finding("dead classes", "likely" if kind == "logits" else "possible", text))
    return found
