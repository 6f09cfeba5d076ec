"""The inputs that a study may show: each with the map that explains what the model chose, and the maps of other labels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import Problem, UsageError
from verbalize.saliency import PixelSaliency, Query, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from verbalize.saliency import Saliency


@dataclass(frozen=True)
class Candidate:
    """An input that could be shown.

    Attributes:
        map: explains the label that the model chose.
        predicted: that label.
        true: the right label, where it is known.
        others: maps of the same input for other labels.
        facts: as `Item.facts`.
    """

    map: Saliency
    predicted: str
    true: str | None
    others: tuple[Saliency, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The map's id."""
        return self.map.saliency_id


def candidates_of(
    maps: Iterable[Saliency],
    *,
    labels: Sequence[str] = (),
    binary: bool = False,
    on_problem: Callable[[Problem], None],
    on_note: Callable[[str], None],
) -> list[Candidate]:
    """The inputs of some maps; maps of one input are put together.

    Args:
        maps: the maps.
        labels: all labels, where they are given: a prediction that is none of them is a problem.
        binary: whether, of two labels, what speaks against one speaks for the other: a signed map of the label that the model
            did not choose is turned round.
        on_problem: called with each map that can't be used.
        on_note: called with what the researcher should know.
    """
    groups: dict[bytes, list[Saliency]] = {}
    for saliency in maps:
        groups.setdefault(_input_digest(saliency), []).append(saliency)
    found: list[Candidate] = []
    guessed = turned = 0
    for group in groups.values():
        predicted, known = _predicted(group)
        guessed += not known
        if predicted is None:
            on_problem(Problem("the maps", "the maps of this input disagree on what the model chose", id=group[0].saliency_id))
            continue
        said = [saliency for saliency in group if saliency.query.label == predicted]
        others = [saliency for saliency in group if saliency.query.label != predicted]
        if not said and binary and (flipped := _turned(others, predicted)) is not None:
            said, turned = [flipped], turned + 1
        problem = _problem(said, others, predicted, labels)
        if problem is not None:
            on_problem(Problem("the maps", problem, id=group[0].saliency_id))
            continue
        for again in said[1:]:
            what = f"this is the same input and label as {said[0].saliency_id!r}; it is shown once"
            on_problem(Problem("the maps", what, id=again.saliency_id))
        known_true = [one.prediction.true_label for one in group if one.prediction is not None]
        true = next((label for label in known_true if label is not None), None)
        found.append(Candidate(said[0], predicted, true, tuple(others), _facts(said[0], predicted, true)))
    if guessed:
        on_note(
            f"{guessed} of {len(groups)} inputs do not say what the model chose; the label of the map's question stands for it"
        )
    if turned:
        on_note(f"{turned} maps speak for the label that the model did not choose; their scores were turned round")
    return found


def _input_digest(saliency: Saliency) -> bytes:
    digest = hashlib.sha256()
    if isinstance(saliency, TokenSaliency):
        words = saliency.text if saliency.text is not None else " ".join(saliency.tokens)
        same = " ".join(words.split()) or saliency.saliency_id  # nothing is the same as nothing
        digest.update(b"text\0" + same.encode("utf-8", "surrogatepass"))
    elif saliency.image is None:
        digest.update(saliency.saliency_id.encode("utf-8", "surrogatepass"))
    else:
        digest.update(repr(saliency.image.shape).encode() + np.ascontiguousarray(saliency.image).tobytes())
    return digest.digest()


def _predicted(group: Sequence[Saliency]) -> tuple[str | None, bool]:
    """What the model chose, and whether a map says so; None where two maps say different things."""
    said = {one.prediction.label for one in group if one.prediction is not None}
    if len(said) > 1:
        return None, True
    if said:
        return said.pop(), True
    asked = {one.query.label for one in group}
    return (asked.pop() if len(asked) == 1 else None), False


def _turned(others: Sequence[Saliency], predicted: str) -> Saliency | None:
    for one in others:
        if not one.signed:
            continue
        query = Query(predicted, (one.query.label,) if one.query.versus else ())
        if isinstance(one, TokenSaliency):
            return TokenSaliency(
                one.tokens, -one.scores, query, one.text, one.offsets, one.prediction, one.special, one.saliency_id, one.method
            )
        return replace(one, scores=-one.scores, query=query, id=one.saliency_id)
    return None


def _problem(said: Sequence[Saliency], others: Sequence[Saliency], predicted: str, labels: Sequence[str]) -> str | None:
    if not said:
        return (
            f"it speaks for {others[0].query.label!r:.80}, and the model chose {predicted!r:.80}; give a map for the label "
            "that was chosen, or, of two labels, turn such maps round with --binary"
        )
    if labels and predicted not in labels:
        return f"the model chose {predicted!r:.80}, which is none of the labels"
    saliency = said[0]
    if isinstance(saliency, TokenSaliency):
        if not any(token.strip() for token in saliency.tokens) and not (saliency.text or "").strip():
            return "the map has no words, so there is nothing to show"
        return None
    if saliency.image is None:
        return "the map carries no picture, so there is nothing to show; store it in the record, or name it with --image"
    return None if saliency.scores.size else "the map has no pixels"


def _facts(saliency: Saliency, predicted: str, true: str | None) -> dict[str, str]:
    from saywhy_core.reading.records import told
    from verbalize import TemplateVerbalizer

    try:
        with told():
            coverage = f"{TemplateVerbalizer().verbalize(saliency).coverage:.2f}"
    except UsageError:  # a condition that needs the text tells it
        coverage = ""
    right = "" if true is None else "yes" if true == predicted else "no"
    return {"label": predicted, "model_right": right, "coverage": coverage, "length": str(_length(saliency))}


def _length(saliency: Saliency) -> int:
    """Words of a text. A picture has no length; what there is to say of it grows with its regions, which are counted."""
    if isinstance(saliency, PixelSaliency):
        from verbalize.draw.heatmaps import drawn_regions

        return len(drawn_regions(saliency))
    return sum(any(map(str.isalnum, token)) for token in saliency.tokens)
