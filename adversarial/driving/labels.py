"""Labels that belong to another list of classes than the classifier's: told from what it says of the first images of a run."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from saywhy_core.classifiers import Classifier

    Pair = tuple[int, int]  # the label of an image, and the class that the classifier sees in it

LOOKED_AT = 50  # labelled images at the beginning of a run: enough for every rule here, and a mistake is told early
LEAST = 5  # images; fewer are attacked as they are, and so is a single one
KINDS = 3  # classes among their labels: with fewer, one confusion of a bad classifier looks like a shift
WRONG = 0.9  # of them are classified otherwise than labelled
OFF_ROWS = 0.75  # likewise where the labels are one row off: neighbours often have the same label
EXPLAINED = 0.5  # of them by one shift, order or row
CHANCE = 1e-4  # that a classifier which guesses among the other classes would let as many be explained
SHOWN = 3  # classes that a sentence names


class LabelsError(UsageError):
    """The labels of a run belong to another list of classes than the classifier's, or to other images."""


class LabelWatch:
    """Gathers what a classifier says of the first labelled images of a run, and raises once their labels can't be right.

    An image that is not done might be classified as its label, so that labels are told as wrong only where all of these being
    right would not save them; the error counts those that are done. Nothing is asked for it.

    Args:
        labels: (place, label) of the images of the run in their order, None for those without a label; only the first 50
            labelled ones count.
        classes: how many classes there are, None where that is not known; or what tells it, asked each time.
    """

    def __init__(self, labels: Iterable[tuple[int, int | None]], classes: int | Callable[[], int | None] | None = None) -> None:
        labelled = ((place, int(label)) for place, label in labels if label is not None)
        self._labels = dict(islice(labelled, LOOKED_AT))
        self._seen: dict[int, int] = {}
        self._beyond: set[int] = set()  # places of labels that are one above the last class
        self._classes = classes

    def see(self, place: int, predicted: int | None) -> None:
        """Take in the class that the classifier sees in the image at this place of the run.

        Raises:
            LabelsError: the labels can't be right by a rule of `wrong_labels`.
        """
        if place in self._labels and predicted is not None:
            self._seen[place] = int(predicted)
            self._check()

    def drop(self, place: int, why: str = "") -> None:
        """Leave out an image that could not be attacked; one whose label is one above the last class speaks against the labels.

        Args:
            place: the place of the image in the run.
            why: the error, by which such a label is told.

        Raises:
            LabelsError: the labels of the other images can't be right by a rule of `wrong_labels`.
        """
        label = self._labels.get(place)
        if label is None:
            return
        if why.startswith(f"there is no class {label}: the classifier has {label},"):
            self._beyond.add(place)
            self._seen[place] = label - 1
        else:
            del self._labels[place]
            self._seen.pop(place, None)
        self._check()

    def _check(self) -> None:
        pairs = [(label, self._seen[place]) for place, label in self._labels.items() if place in self._seen]
        known = 1 + max((max(pair) for pair in pairs), default=0)
        classes = self._classes() if callable(self._classes) else self._classes
        why = wrong_labels(pairs, max(classes or 2, known), open_=len(self._labels) - len(pairs), beyond=len(self._beyond))
        if why:
            raise LabelsError(why)


def classes_of(classifier: Classifier) -> int | None:
    """How many classes a classifier has: by its answers, its names or its maker; None where nothing says it yet."""
    known: int | None = getattr(classifier, "classes", None)  # `Classifier` does not ask for it
    return len(classifier.class_names) if known is None and classifier.class_names is not None else known


def wrong_labels(pairs: Sequence[Pair], classes: int, *, open_: int = 0, beyond: int = 0) -> str:
    """Why the labels of images can't be right, in a sentence; "" where nothing speaks against them.

    They can't where there are at least 5 images of 3 classes (of 2 if the classifier has 2), at least 9 in 10 of them are
    classified otherwise than labelled, and one explanation fits at least half of them, which a classifier that guesses would
    bring about in fewer than one of 10,000 runs: all classes are shifted by one number (labels that count from 1), or each
    label stands for one other class (another order of the classes). Labels that fit the next or the previous image are told
    where 3 in 4 are classified otherwise. Labels in random order are not told from a bad classifier.

    Args:
        pairs: for each image its label and the class that the classifier sees in it, in the order of the images.
        classes: how many classes the classifier has.
        open_: how many more labelled images there are, of which it is not known yet what the classifier sees in them. They
            count against each explanation; while there are any, rows are not looked at.
        beyond: how many of `pairs` have a label that is one above the last class, paired with that class.
    """
    done, count = len(pairs), len(pairs) + open_
    wrong = sum(label != seen for label, seen in pairs)
    kinds = {label for label, _ in pairs}
    if count < LEAST or len(kinds) < min(KINDS, classes):
        return ""
    right = f"{done - wrong or 'none'} {'is' if done - wrong < 2 else 'are'} classified as labelled"
    head = f"of {count} labelled images {f'{done} are done, and of these ' if open_ else ''}{right}"
    if wrong >= WRONG * count:
        if classes == 2:
            why = _exchanged(count, wrong, head)
        else:
            why = _shifted(pairs, count, classes, head, beyond) or _ordered(pairs, count, classes, head)
        if why:
            return why
    return _off_rows(pairs, head) if not open_ and wrong >= OFF_ROWS * count else ""


def _exchanged(count: int, wrong: int, head: str) -> str:
    """With two classes, every wrong answer is the other class: they are exchanged where that is no chance."""
    if _tail(wrong, count, 0.5) > CHANCE:
        return ""
    return f"the two classes of the labels seem to be exchanged: {head}; {_ADVICE}"


def _shifted(pairs: Sequence[Pair], count: int, classes: int, head: str, beyond: int) -> str:
    shifts = Counter(seen - label for label, seen in pairs if label != seen)
    shift, fits = max(shifts.items(), key=lambda item: (item[1], -abs(item[0]), item[0]))
    chance = 2 * (classes - 1) * _tail(fits, count, 1 / (classes - 1))
    kinds = {label for label, seen in pairs if seen - label == shift}
    if fits < EXPLAINED * count or len(kinds) < KINDS or chance > CHANCE:
        return ""
    if shift == -1:
        above = f", and there is no class of the label of {beyond}" if beyond else ""
        return (
            f"the labels seem to count from 1, and classes count from 0: {head}, and {fits - beyond} as the class before "
            f"it{above}; take 1 from each label, or leave the labels out"
        )
    moved = f"{abs(shift)} {'above' if shift > 0 else 'below'}"
    return f"the labels seem to be shifted: {head}, and {fits} as the class whose number is {moved} it; {_ADVICE}"


def _ordered(pairs: Sequence[Pair], count: int, classes: int, head: str) -> str:
    """Each label stands for one class, which is another one for each, where there are several images of a label."""
    by_label: dict[int, Counter[int]] = defaultdict(Counter)
    for label, seen in pairs:
        by_label[label][seen] += 1
    largest: dict[int, tuple[int, int]] = {}  # of the labels that stand for a class, the one with the most images there
    for label, counted in by_label.items():
        other, fits = min(counted.items(), key=lambda item: (-item[1], item[0]))
        if other != label and fits > largest.get(other, (0, 0))[0]:
            largest[other] = fits, label
    fits = sum(number for number, _ in largest.values())
    # each label may stand for any other class, so that many explanations could fit by chance
    chance = math.log(classes - 1) * len(by_label) + math.log(max(_tail(fits, count, 1 / (classes - 1)), 1e-300))
    if len(largest) < KINDS or fits < EXPLAINED * count or chance > math.log(CHANCE):
        return ""
    known = sorted((label, other) for other, (number, label) in largest.items() if number > 1)[:SHOWN]
    such = ", ".join(f"those of class {label} as class {other}" for label, other in known)
    return (
        f"the labels seem to be in another order of the classes than the classifier's: {head}, and {fits} as one other class "
        f"for each label ({such}); {_ADVICE}"
    )


def _off_rows(pairs: Sequence[Pair], head: str) -> str:
    """Whether the labels are those of the next or of the previous image."""
    count = len(pairs) - 1
    labels, seen = Counter(label for label, _ in pairs), Counter(seen for _, seen in pairs)
    alike = max(max(labels.values()), max(seen.values())) / len(pairs)  # by which two images agree at most by chance
    for step, which in ((1, "next"), (-1, "previous")):
        fits = sum(pairs[place][1] == pairs[place + step][0] for place in range(len(pairs)) if 0 <= place + step < len(pairs))
        if fits >= EXPLAINED * count and 2 * _tail(fits, count, alike) <= CHANCE:
            return (
                f"the labels seem to be one row off: {head}, and {fits} as the {which} image is labelled; "
                "look for a row too much or too few in them, or leave them out"
            )
    return ""


def _tail(least: int, count: int, chance: float) -> float:
    """The probability of at least so many of `count` independent events of this chance each."""
    if least <= 0 or chance >= 1:
        return 1.0
    return math.fsum(math.comb(count, one) * chance**one * (1 - chance) ** (count - one) for one in range(least, count + 1))


_ADVICE = "give the labels, or the names of the classes, in the classifier's order, or leave the labels out"
