"""The question that a saliency map answers, and what the model predicted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.records import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

_CEILINGS = {"text": "text", "token": "characters"}
_HALF = re.compile(r"[\ud800-\udfff]")


class SaliencyError(UsageError):
    """A map, or a record of a map, is invalid: for example, its lengths differ or a score is not finite."""


def check_texts(**texts: object) -> None:
    """See whether fields of a map, given by name, are texts that can be written; None is passed over.

    Raises:
        SaliencyError: one is no string, is longer than the ceiling on texts, on words or (all other fields) on names, or holds
            half a character (a lone surrogate), which no file can hold.
    """
    for name, text in texts.items():
        if text is None:
            continue
        if not isinstance(text, str):
            raise SaliencyError(f"the {name} must be a string, not {text!r:.80}")
        check_held(_CEILINGS.get(name, "name"), len(text), f"the {name}")
        if _HALF.search(text):
            raise SaliencyError(f"the {name} holds half a character (a lone surrogate), which can't be written")


def checked_numbers(scores: Any) -> Any:
    """Scores as they are given; true and false in a list are no numbers, though Python counts with them.

    Raises:
        SaliencyError: there is one.
    """
    if isinstance(scores, (list, tuple)) and any(isinstance(score, bool) for score in scores):
        place = next(number for number, score in enumerate(scores) if isinstance(score, bool))
        raise SaliencyError(f"score {place} is {str(scores[place]).lower()}, which is not a number")
    return scores


def whole(value: Any) -> int:
    """A place in a text or among the words.

    Raises:
        ValueError: it is no whole number.
    """
    number = int(value)
    if number != value or isinstance(value, bool):
        raise ValueError(f"{value!r:.40} is no whole number")
    return number


def checked_special(special: Sequence[Any]) -> tuple[Any, ...]:
    """The special tokens of a map.

    Raises:
        SaliencyError: they are more than the ceiling on words allows.
    """
    check_held("tokens", len(special), "the map", "special tokens")
    return tuple(special)


def checked_names(names: Sequence[str], what: str) -> tuple[str, ...]:
    """The names in a list of a map, such as those of its masks; `what` is one of them.

    Raises:
        SaliencyError: one can't be used (`check_texts`), or they are more than the ceiling on words allows.
    """
    check_held("tokens", len(names), "the map", f"entries in a list of {what}s")
    for name in names:
        check_texts(**{what: name})
    return tuple(names)


def checked_words(tokens: Sequence[str], text: str | None) -> tuple[str, ...]:
    """The words of a map; its text, where it is known, is checked, too.

    Raises:
        SaliencyError: one is no string or holds half a character, or they are more or longer than the ceilings allow.
    """
    if isinstance(tokens, str):
        raise SaliencyError("tokens must be a list of strings, not one string; split the text first")
    words = tuple(tokens)
    for index, word in enumerate(words):
        if not isinstance(word, str):
            raise SaliencyError(f"token {index} is {word!r:.80}, which is not a string")
        if _HALF.search(word):
            raise SaliencyError(f"token {index} holds half a character (a lone surrogate), which can't be written")
    try:
        check_ceiling("tokens", len(words), "the map")
        check_ceiling("characters", max(map(len, words), default=0), "the map")
        check_texts(text=text)
    except UsageError as error:
        raise SaliencyError(str(error)) from None
    return words


def check_scores(rows: int, columns: int, what: str = "the map") -> None:
    """See whether a map over pixels has no more scores than the ceiling allows.

    Raises:
        SaliencyError: it has more. The text says how to raise the ceiling.
    """
    check_held("scores", rows * columns, what)


def check_held(name: str, have: int, what: str, counted: str = "") -> None:
    """`check_ceiling` for what belongs to a map.

    Raises:
        SaliencyError: it is over the ceiling of that name.
    """
    try:
        check_ceiling(name, have, what, counted)
    except UsageError as error:
        raise SaliencyError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Query:
    """The question that a map answers: what speaks for `label`, or (with `versus`) for `label` rather than for `versus`?

    `versus` is the reference frame and `members` the granularity of the explanation, as in RFxG (Elisha et al. 2025).

    Args:
        label: the class that the map explains.
        versus: the classes that the label is compared with, each once. They make the question contrastive.
        members: the classes that the label stands for if it names a group, such as "beagle" and "husky" for "dog".

    Raises:
        SaliencyError: a name is empty, or the label or one of the members is in `versus`.
    """

    label: str
    versus: tuple[str, ...] = ()
    members: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.label, str) or not self.label.strip():
            raise SaliencyError(f"a query needs a label that is a non-empty string, not {self.label!r:.80}")
        for name in ("versus", "members"):
            value = getattr(self, name)
            labels = (value,) if isinstance(value, str) else tuple(value)
            check_held("tokens", len(labels), "the query", f"labels in {name!r}")
            if not all(isinstance(label, str) and label.strip() for label in labels):
                raise SaliencyError(f"a query's {name} must be non-empty strings, not {value!r:.80}")
            object.__setattr__(self, name, tuple(dict.fromkeys(labels)))  # a class counts once, however often it is named
        for label in (self.label, *self.versus, *self.members):
            check_texts(label=label)
        if self.label in self.versus:
            raise SaliencyError(f"a query can't compare the label {self.label!r} with itself")
        shared = next((label for label in self.versus if label in self.members), None)
        if shared is not None:
            raise SaliencyError(
                f"a query can't compare the group {self.label!r:.80} with its own member {shared!r:.80}; take it out of "
                "versus, or out of members"
            )

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
        check_texts(**{"prediction's label": self.label, "true label": self.true_label})
        probability = None if self.probability is None else _number(self.probability, "probability")
        if probability is not None and not 0.0 <= probability <= 1.0:
            raise SaliencyError(f"a prediction's probability must lie in 0..1, not {self.probability!r:.80}")
        object.__setattr__(self, "probability", probability)
        if not isinstance(self.scores, Mapping):
            raise SaliencyError(f"a prediction's scores must be a mapping from label to number, not {self.scores!r:.60}")
        check_held("tokens", len(self.scores), "the prediction", "scores")
        scores = {name: _number(score, f"score of {name!r:.80}") for name, score in self.scores.items()}
        for name in scores:
            check_texts(**{"label of a score": name})
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
        number = float(found.reshape(-1)[0])
    except (TypeError, ValueError, OverflowError) as error:
        raise SaliencyError(f"a prediction's {what} must be one number, not {value!r:.60} ({in_words(error)})") from None
    return number
