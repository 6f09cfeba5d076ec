"""The menu: the claims that hold of a map and are worth saying, from which an author chooses."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from verbalize.claims.checking import check
from verbalize.claims.claim import Claim
from verbalize.compose.clauses import scattered
from verbalize.evidence import evidence_of
from verbalize.saliency import TokenSaliency
from verbalize.write.draft import Draft
from verbalize.write.naming import Frame, percent, quoted
from verbalize.write.standing import standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verbalize.claims.claim import Direction
    from verbalize.evidence import Evidence
    from verbalize.saliency import Part, Saliency

MOST = 40  # items; a longer menu makes models choose worse and costs more than it adds
_RANKED = {"supports": 6, "opposes": 4}  # how many parts are named on each side
_TIMES = (1.5, 2.0, 3.0, 4.0, 5.0, 10.0)  # ratios that people say
_TIMES_EXACT = 0.04  # a ratio is offered if it differs from one of them by less than this share: "about twice" stays honest
_TIMES_TOLERANCE = 0.1  # of "about", as a share of the number
_EQUAL = 0.05  # tolerance of "equally", as a share of the larger
_ALONE = 3  # "only" is said of at most so many parts
_EQUAL_FIRST = 4  # the most parts that share the first place and are all named
_SCORED = 2  # parts on each side whose score is offered as a number
_WRITABLE = (1e-3, 1e5)  # scores outside are not written as numbers: nobody reads them
_PHRASE_WORDS, _PHRASES = 12, 2  # words in all phrases of a side together, and phrases of a side
_SURELY_NAMED = 3  # parts of each side that come early on the menu
_IDLE = 3  # how many parts that hardly matter are offered


_Weighed: TypeAlias = "tuple[int, tuple[Claim, ...]]"


@dataclass(frozen=True)
class MenuItem:
    """One thing that can be said of a map.

    Args:
        number: its number on the menu, from 1.
        claims: the claims that it makes; they are said together.
    """

    number: int
    claims: tuple[Claim, ...]


def menu_of(saliency: Saliency, *, mask_labels: bool = False) -> tuple[MenuItem, ...]:
    """The menu of a map: at most 40 items, the most telling first. All of them are true of the map.

    It never names two parts of which one contains the other with a share each, so that no two items seem to contradict
    each other.

    Args:
        saliency: the map.
        mask_labels: leave out claims that name labels, such as what the model predicts.
    """
    evidence = evidence_of(saliency)
    candidates = list(_candidates(saliency, evidence, mask_labels))
    report = check([claim for claims in candidates for claim in claims], saliency)
    unsure = {*(error.claim for error in report.errors), *(one.claim for one in report.undecided)}
    holding = [claims for claims in dict.fromkeys(candidates) if unsure.isdisjoint(claims)]
    return tuple(MenuItem(number, claims) for number, claims in enumerate(holding[:MOST], start=1))


def _candidates(saliency: Saliency, evidence: Evidence, mask_labels: bool) -> Iterator[tuple[Claim, ...]]:
    if evidence.flat:
        yield (Claim("no_clear_evidence"),)
        yield from _of_model(saliency, mask_labels)
        return
    if not evidence.signed:
        yield from _of_importance(evidence)
        yield from _of_model(saliency, mask_labels)
        return
    phrases = _phrases(saliency, evidence)
    sides: list[_Weighed] = [*_of_side(evidence, "supports", phrases), *_of_side(evidence, "opposes", phrases)]
    sides += [(1, claims) for claims in _of_both(evidence)] + [(2, claims) for claims in _of_model(saliency, mask_labels)]
    sides += [(3, claims) for claims in _idle(evidence)] + [(7, claims) for claims in _scores(evidence)]
    for _, claims in sorted(sides, key=lambda weighed: weighed[0]):
        yield claims


def _of_side(evidence: Evidence, direction: Direction, phrases: Sequence[Part]) -> Iterator[_Weighed]:
    """What one side has, each with its place on the menu: 0 comes first."""
    toward = evidence.toward(direction)
    speaking = int((toward > 0).sum())
    if not speaking:
        yield 0, (Claim("no_clear_evidence", direction=direction),)
        return
    order = [int(index) for index in np.argsort(-toward, kind="stable")[: min(speaking, _RANKED[direction])]]
    tied = [index for index in order if evidence.tied(float(toward[index]), float(toward[order[0]]))]
    whole = [part for part in phrases if float(toward[list(part)].sum()) > 0]
    inside = {index for part in whole for index in part}
    parts: list[Part] = [*whole, *((index,) for index in order if index not in inside)]
    if len(tied) == 1:
        yield 0, (Claim("most_important", (order[0],), direction=direction),)
    elif len(tied) <= _EQUAL_FIRST:
        firsts = [
            Claim("most_important", (one,), other=tuple(i for i in tied if i != one), direction=direction, shared=True)
            for one in tied
        ]
        equal = [Claim("equal", (tied[0],), other=(one,), direction=direction, tolerance=_EQUAL) for one in tied[1:]]
        yield 0, (*firsts, *equal)
    for place, part in enumerate(parts):
        worth = 1 if place < _SURELY_NAMED else 3
        if share := _share(evidence, part):
            yield worth, (share, Claim(direction, part))
        yield worth, (Claim(direction, part),)
    for place, (one, following) in enumerate(pairwise(order)):
        yield 2 if place < 2 else 5, (Claim("more_important_than", (one,), other=(following,), direction=direction),)
        if place < 2:
            yield 2, (Claim("rank", (following,), value=float(place + 2), direction=direction),)
    for size in (2, 3):
        if len(order) >= size and inside.isdisjoint(order[:size]) and (share := _share(evidence, tuple(order[:size]))):
            together = tuple(sorted(order[:size]))
            signs = [(index,) for index in together] if scattered(together) else [together]
            yield 3, (share, *(Claim(direction, part) for part in signs))
    if speaking <= _ALONE:
        yield 1, (Claim("only", tuple(order[:speaking]), direction=direction),)
    yield 2, (Claim("count", (), value=float(speaking), direction=direction),)
    for place, claims in enumerate(_comparisons(evidence, direction, order)):
        yield 3 if place < 2 else 6, claims


def _comparisons(evidence: Evidence, direction: Direction, order: Sequence[int]) -> Iterator[tuple[Claim, ...]]:
    """Ratios, equal scores, and how strong single parts are beside the strongest."""
    scores = evidence.toward(direction)
    top = float(scores[order[0]])
    for one, other in [*pairwise(order), *((order[0], index) for index in order[2:])]:
        if evidence.tied(float(scores[one]), float(scores[other])):
            yield (Claim("equal", (one,), other=(other,), direction=direction, tolerance=_EQUAL),)
            continue
        ratio = float(scores[one] / scores[other])
        for times in _TIMES:
            if abs(ratio - times) <= _TIMES_EXACT * times:
                yield (
                    Claim(
                        "ratio", (one,), other=(other,), value=times, tolerance=_TIMES_TOLERANCE * times, direction=direction
                    ),
                )
    for index in order[1:]:
        strength = float(scores[index]) / top
        value = 0.75 if strength > 0.55 else 0.25 if 0.05 < strength < 0.45 else None
        if value is not None:
            yield (Claim("strength", (index,), value=value, tolerance=0.25, direction=direction),)


def _of_both(evidence: Evidence) -> Iterator[tuple[Claim, ...]]:
    """What both sides have together: which of them outweighs the other, and by how much."""
    positive, negative = evidence.positive_mass, evidence.negative_mass
    if not positive or not negative or not np.isfinite(positive + negative):
        return
    direction: Direction = "supports" if positive > negative else "opposes"
    yield (Claim("balance", (), direction=direction),)
    if written := percent(max(positive, negative) / (positive + negative)):
        yield (Claim("balance", (), direction=direction, value=written[1], tolerance=written[2]),)


def _of_model(saliency: Saliency, mask_labels: bool) -> Iterator[tuple[Claim, ...]]:
    """What the model predicts, how sure it is, and which label comes second."""
    prediction = saliency.prediction
    nameless = any(quoted(name) is None for name in (saliency.query.label, *saliency.query.versus))
    if prediction is None or mask_labels or nameless or not quoted(prediction.label):
        return  # a query without a name is "the label", which must not mean another one
    yield (Claim("predicted", (), label=prediction.label),)
    if prediction.probability is not None and (written := percent(prediction.probability)):
        yield (Claim("confidence", (), label=prediction.label, value=written[1], tolerance=written[2]),)
    ranked = sorted(prediction.scores, key=lambda name: -prediction.scores[name])
    if len(ranked) > 1 and quoted(ranked[1]):
        yield (Claim("runner_up", (), label=ranked[1], value=2.0),)


def _of_importance(evidence: Evidence) -> Iterator[tuple[Claim, ...]]:
    """What an unsigned map says: which parts matter, and which share of the importance they hold."""
    order = [int(index) for index in np.argsort(-evidence.net, kind="stable")[: _RANKED["supports"]]]
    yield (Claim("most_important", (order[0],)),)
    for index in order:
        if share := _share(evidence, (index,)):
            yield (share,)
        yield (Claim("matters", (index,)),)
    for size in (2, 3):
        if len(order) >= size and (share := _share(evidence, tuple(order[:size]))):
            yield (share,)
    yield from _idle(evidence)


def _scores(evidence: Evidence) -> Iterator[tuple[Claim, ...]]:
    for direction in ("supports", "opposes"):
        toward = evidence.toward(direction)
        for index in np.argsort(-toward, kind="stable")[:_SCORED].tolist():
            score = float(evidence.net[index])
            if toward[index] > 0 and _WRITABLE[0] <= abs(score) < _WRITABLE[1]:
                yield (Claim("share", (index,), value=round(score, 2), tolerance=0.005, of="score"),)


def _idle(evidence: Evidence) -> Iterator[tuple[Claim, ...]]:
    """Parts that hardly matter: the longest words among them, because a reader would expect something of these."""
    order = np.argsort(np.abs(evidence.net), kind="stable")
    near = [int(index) for index in order[: max(len(order) // 2, 1)]]
    named = sorted(near, key=lambda index: -sum(map(str.isalpha, evidence.names[index])))
    for index in named[:_IDLE]:
        if evidence.pixels or any(map(str.isalnum, evidence.names[index])):
            yield (Claim("near_zero", (index,)),)
    if len(order) > 2:
        yield (Claim("least_important", (int(order[0]),)),)


def _share(evidence: Evidence, part: Part) -> Claim | None:
    """The share of all the evidence that a part holds: one whole for all shares of a text, so that they can be compared."""
    total = evidence.total("absolute")
    written = percent(evidence.mass(part, "absolute") / total) if 0 < total < np.inf else None
    return Claim("share", part, value=written[1], tolerance=written[2], of="absolute") if written else None


def _phrases(saliency: Saliency, evidence: Evidence) -> list[Part]:
    """The spans of several words that the templates would name, none inside another."""
    if not isinstance(saliency, TokenSaliency):
        return []
    draft = Draft(saliency, evidence, Frame.of(saliency.query, mask_labels=True))
    apart: list[Part] = []
    for direction in ("supports", "opposes"):
        found = standing(
            evidence,
            direction,
            max_words=_PHRASE_WORDS,
            max_spans=_PHRASES,
            breaks=draft.breaks,
            compounds=draft.compounds,
        )
        for part in sorted(found.parts if found else (), key=len, reverse=True):
            if len(part) > 1 and all(set(part).isdisjoint(other) for other in apart):
                apart.append(part)
    return sorted(apart)
