"""Which of the model's classes a claim names, and the model's probability of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verbalize.evidence import Evidence
    from verbalize.query import Prediction

_SUM = 1e-3  # scores that sum to 1 this closely are probabilities: models write them with four digits or more


def same_name(one: str, other: str) -> bool:
    """Whether two names of classes are the same but for upper case and white space at the ends."""
    return plain(one) == plain(other)


def plain(name: object) -> str:
    """A name in lower case, without white space at the ends. Readers of old files may give names that are numbers."""
    return str(name).strip().casefold()


def classes_named(label: str, evidence: Evidence) -> tuple[str, ...]:
    """The classes that a name stands for: those of the query's group if it names the group, else itself."""
    query = evidence.query
    return query.members if query.members and same_name(label, query.label) else (label,)


def probability(prediction: Prediction, classes: tuple[str, ...]) -> float | None:
    """The model's probability of a class, or of all classes of a group together; `None` if it is unknown."""
    found = [_probability(prediction, name) for name in classes]
    return None if None in found else math.fsum(value for value in found if value is not None)


def _probability(prediction: Prediction, label: str) -> float | None:
    if prediction.probability is not None and same_name(label, prediction.label):
        return prediction.probability
    scores = {plain(name): score for name, score in prediction.scores.items()}
    predicted, asked = scores.get(plain(prediction.label)), scores.get(plain(label))
    if asked is None or not all(0 <= score <= 1 for score in scores.values()):
        return None
    agrees = prediction.probability is not None and predicted is not None and abs(predicted - prediction.probability) <= _SUM
    return asked if agrees or abs(math.fsum(scores.values()) - 1.0) <= _SUM else None
