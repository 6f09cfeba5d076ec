"""The question that a saliency map answers, and what the model predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import UsageError


class SaliencyError(UsageError):
    """A map, or a record of a map, is invalid: for example, its lengths differ or a score is not finite."""


@dataclass(frozen=True, slots=True)
class Query:
    """The question that a map answers: what speaks for `label`, or (with `versus`) for `label` rather than for `versus`?

    `versus` is the reference frame and `members` the granularity of the explanation, as in RFxG (Elisha et al. 2025).

    Args:
        label: the class that the map explains.
        versus: the classes that the label is compared with. They make the question contrastive.
        members: the classes that the label stands for if it names a group, such as "beagle" and "husky" for "dog".

    Raises:
        SaliencyError: a name is empty, or the label is one of `versus`.
    """

    label: str
    versus: tuple[str, ...] = ()
    members: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.label, str) or not self.label.strip():
            raise SaliencyError(f"a query needs a label that is a non-empty string, not {self.label!r}")
        for name in ("versus", "members"):
            value = getattr(self, name)
            labels = (value,) if isinstance(value, str) else tuple(value)
            if not all(isinstance(label, str) and label.strip() for label in labels):
                raise SaliencyError(f"a query's {name} must be non-empty strings, not {value!r}")
            object.__setattr__(self, name, labels)
        if self.label in self.versus:
            raise SaliencyError(f"a query can't compare the label {self.label!r} with itself")

    @property
    def contrastive(self) -> bool:
        """Whether the question is "why this label rather than another"."""
        return bool(self.versus)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model predicted.

    Args:
        label: the predicted class.
        probability: the probability of this class, in [0, 1]: a number, or an array or tensor of one number.
        scores: the score of each class by its name.
        true_label: the correct class, where it is known.

    Raises:
        SaliencyError: the probability lies outside [0, 1], or it or a score is not one number.
    """

    label: str
    probability: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    true_label: str | None = None

    def __post_init__(self) -> None:
        probability = None if self.probability is None else _number(self.probability, "probability")
        if probability is not None and not 0.0 <= probability <= 1.0:
            raise SaliencyError(f"a prediction's probability must lie in 0..1, not {self.probability!r}")
        object.__setattr__(self, "probability", probability)
        if not isinstance(self.scores, Mapping):
            raise SaliencyError(f"a prediction's scores must be a mapping from label to number, not {self.scores!r:.60}")
        scores = {name: _number(score, f"score of {name!r}") for name, score in self.scores.items()}
        object.__setattr__(self, "scores", MappingProxyType(scores))

    def __reduce__(self) -> tuple[type[Prediction], tuple[object, ...]]:
        # a read-only view of a dictionary can't be pickled or copied deeply, so the prediction is built anew from its fields
        return Prediction, (self.label, self.probability, dict(self.scores), self.true_label)


def _number(value: object, what: str) -> float:
    """A number, also out of an array or tensor of one number, which may require gradients."""
    try:
        found = to_numpy(value)
        if found.size != 1 or found.dtype.kind not in "biuf":
            raise TypeError(f"it holds {found.size} values of type {found.dtype}")
    except (TypeError, ValueError) as error:
        raise SaliencyError(f"a prediction's {what} must be one number, not {value!r:.60} ({error})") from None
    return float(found.reshape(-1)[0])
