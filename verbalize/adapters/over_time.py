"""Maps over time: one map per step or stretch of steps, and what changes from one to the next, in words that were checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import UsageError
from verbalize.adapters.boxes import NINE, grid_boxes, masks_of
from verbalize.adapters.given import SHARED, check_fields, checked_list
from verbalize.adapters.segments import with_segments
from verbalize.adapters.spoken import asked, noun, part_names
from verbalize.claims import Claim, check
from verbalize.evidence import evidence_of
from verbalize.saliency import PixelSaliency, Query, TokenSaliency
from verbalize.write.naming import Frame, listed, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.adapters.segments import Names
    from verbalize.claims import Direction
    from verbalize.saliency import Floats, Saliency

_TEXT, _PICTURES = 2, 3  # axes
_TURNED = 2  # parts that change sides are told; a reader keeps hardly more apart
_SIDES: dict[Direction, str] = {"supports": "for", "opposes": "against"}
_TURNS: tuple[tuple[Direction, Direction], ...] = (("supports", "opposes"), ("opposes", "supports"))


@dataclass(frozen=True)
class Change:
    """What is different between two maps that follow one another.

    Args:
        before: the name of the first map's time.
        after: the name of the second one's.
        text: the change in words; only what the claims of both maps say.
        claims: the claims about the first map, and those about the second. All of them are true (`check`).
    """

    before: str
    after: str
    text: str
    claims: tuple[tuple[Claim, ...], tuple[Claim, ...]]


@dataclass(frozen=True)
class OverTime:
    """Maps that follow one another. They have the same parts.

    Args:
        maps: one map per stretch of time.
        names: the name of each stretch.
    """

    maps: tuple[Saliency, ...]
    names: tuple[str, ...]

    def changes(self) -> tuple[Change, ...]:
        """What changes from each map to the next: the most important part, which parts change sides, and shares.

        Of the shares, those that rise and fall most are told; of the parts that change sides, the two that hold most.
        """
        return tuple(
            _change(*pair) for pair in zip(self.maps[:-1], self.maps[1:], self.names[:-1], self.names[1:], strict=True)
        )


def maps_over_time(
    scores: Any,
    query: Query,
    *,
    tokens: Sequence[str] | None = None,
    segments: Any = None,
    names: Names = None,
    frames: Any = None,
    starts: Sequence[int] | None = None,
    times: Sequence[str] | None = None,
    signed: bool = True,
    **fields: Any,
) -> OverTime:
    """One map per step, or per stretch of steps, from scores with a first axis of time.

    A stretch has the mean of its steps. So that parts can be compared over time, all maps have the same ones: the words, the
    given segments, or nine parts of the picture (three rows of three).

    Args:
        scores: (T, N) scores of N words at T steps, such as the steps of a decoder; or (T, H, W) of the frames of a video.
        query: the question that the scores answer.
        tokens: the N words.
        segments: the parts of all frames, as `with_segments` takes them.
        names: the names of the segments.
        frames: the pictures: (T, H, W, C), of which a stretch shows its first, or (H, W, C) for all.
        starts: the steps at which a new stretch begins, from 1 up; by default every step is a stretch.
        times: one name per stretch, each of its own; "step 3", or "steps 3 to 5", by default, counted from 1.
        signed: whether a negative score speaks against the label.
        **fields: other arguments of both kinds of map, such as `method` and `prediction`.

    Raises:
        UsageError: a shape is wrong, or an argument does not go with this kind of scores.
    """
    check_fields(fields, (*SHARED, "text", "offsets", "special") if tokens is not None else SHARED)
    values = np.asarray(to_numpy(scores))
    if values.dtype.kind not in "biuf" or values.ndim not in (_TEXT, _PICTURES) or not len(values):
        raise UsageError(f"scores over time are (T, N) or (T, height, width) numbers, not an array of shape {values.shape}")
    words = values.ndim == _TEXT
    if words != (tokens is not None):
        raise UsageError("scores (T, N) need tokens, and scores (T, height, width) take none")
    for name, given in (("segments", segments), ("frames", frames)):
        if words and given is not None:
            raise UsageError(f"{name} has no effect on scores of words; leave it out")
    if names is not None and segments is None:
        raise UsageError("names are those of the segments; give segments, too, or leave them out")
    edges = _edges(starts, len(values))
    labels = tuple(_spoken(*edge) for edge in edges) if times is None else tuple(checked_list(times, "times"))
    if len(set(labels)) < len(labels):
        raise UsageError(f"two stretches have the same name in times, {labels!r:.80}; give each a name of its own")
    if len(labels) != len(edges):
        raise UsageError(f"there are {len(labels)} names of times for {len(edges)} stretches; give one for each")
    means = [values[first:last].astype(np.float64).mean(axis=0) for first, last in edges]
    given_id = fields.pop("id", None)
    ids = [label if given_id is None else f"{given_id}, {label}" for label in labels]
    maps: list[Saliency] = []
    for mean, (first, _), name in zip(means, edges, ids, strict=True):
        if tokens is not None:
            maps.append(TokenSaliency(tokens, mean, query, signed=signed, id=name, **fields))
        else:
            one = PixelSaliency(mean, query, image=_frame(frames, first), signed=signed, id=name, **fields)
            maps.append(_nine(one) if segments is None else with_segments(one, segments, names))
    return OverTime(tuple(maps), labels)


def _edges(starts: Sequence[int] | None, steps: int) -> list[tuple[int, int]]:
    cuts = list(range(1, steps)) if starts is None else [int(start) for start in starts]
    edges = [0, *cuts, steps]
    if any(later <= earlier for earlier, later in pairwise(edges)):
        raise UsageError(f"starts must rise and lie between 1 and {steps - 1}, the last step, not {cuts!r:.80}")
    return list(pairwise(edges))


def _spoken(first: int, last: int) -> str:
    return f"step {last}" if last == first + 1 else f"steps {first + 1} to {last}"


def _frame(frames: Any, index: int) -> Any:
    return frames[index] if frames is not None and np.ndim(frames) == 4 else frames


def _nine(saliency: PixelSaliency) -> PixelSaliency:
    size = saliency.shape
    boxes = grid_boxes(min(3, size[0]), min(3, size[1]), size)
    names = NINE if len(boxes) == len(NINE) else tuple(f"part {index + 1}" for index in range(len(boxes)))
    return replace(saliency, masks=masks_of(boxes, size), mask_names=names)


def _change(first: Saliency, second: Saliency, before: str, after: str) -> Change:
    both = (first, second)
    shares = [_shares(one) for one in both]
    names = part_names(first, evidence_of(first).names)
    said: list[str] = []
    claims: tuple[list[Claim], list[Claim]] = ([], [])
    tops = [int(_toward(one).argmax()) if len(names) else 0 for one in both]
    found = [_true(Claim("most_important", (top,)), one) for top, one in zip(tops, both, strict=True)]
    kind = f"most important {noun(first)}{asked(both)}"
    if found[0] and found[1]:
        old, new = (names[top] for top in tops)
        said.append(
            f"{old} is the {kind} in {before} and in {after}."
            if tops[0] == tops[1]
            else f"The {kind} is {old} in {before} and {new} in {after}."
        )
        for kept, claim in zip(claims, found, strict=True):
            kept.append(claim)  # type: ignore[arg-type]
    for turned, sides in _turned(both, shares):
        told = Frame.of(first.query, mask_labels=False, heard=" ".join(evidence_of(first).names))
        verb = "speaks" if len(turned) == 1 else "speak"
        said.append(
            f"{listed([names[part] for part in turned])} {verb} {_SIDES[sides[0]]} {told.full} in {before} and "
            f"{_SIDES[sides[1]]} {told.pronoun} in {after}."
        )
        for kept, side in zip(claims, sides, strict=True):
            kept.extend(Claim(side, (part,)) for part in turned)
    moved = shares[1] - shares[0]
    for index, word in ((int(moved.argmax()), "rises"), (int(moved.argmin()), "falls")) if len(moved) else ():
        told_shares = [_told(one, index, float(share[index])) for one, share in zip(both, shares, strict=True)]
        (old, _), (new, _) = told_shares
        if moved[index] != 0.0 and (moved[index] > 0) == (word == "rises") and old != new:
            where = "all the evidence" if first.signed else "the importance"
            said.append(f"The share of {names[index]} in {where} {word} from {old} to {new}.")
            for kept, (_, claim) in zip(claims, told_shares, strict=True):
                kept.extend([claim] if claim else [])
    if not said:
        by = " by as much as one per cent of the whole" if np.abs(moved).any() else ""
        said = [f"No share changes{by} from {before} to {after}."]
    text = " ".join(sentence[:1].upper() + sentence[1:] for sentence in said)
    return Change(before, after, text, (tuple(claims[0]), tuple(claims[1])))


def _turned(maps: Sequence[Saliency], shares: Sequence[Floats]) -> list[tuple[list[int], tuple[Direction, Direction]]]:
    """The parts that change sides and hold most, with the sides that they take: those of one direction together."""
    if not all(one.signed for one in maps):
        return []
    found: dict[tuple[Direction, Direction], list[int]] = {}
    left = _TURNED
    for part in np.argsort(-(shares[0] + shares[1]), kind="stable").tolist():
        for sides in _TURNS:
            if left and all(_true(Claim(side, (part,)), one) for side, one in zip(sides, maps, strict=True)):
                found.setdefault(sides, []).append(part)
                left -= 1
    return [(sorted(parts), sides) for sides, parts in found.items()]


def _toward(saliency: Saliency) -> Floats:
    return evidence_of(saliency).net


def _shares(saliency: Saliency) -> Floats:
    """(P,) the share of all evidence that each part holds, in the magnitudes of its scores."""
    evidence = evidence_of(saliency)
    total = evidence.total("absolute")
    return (evidence.positive + evidence.negative) / total if total else np.zeros(len(evidence))


def _told(saliency: Saliency, index: int, share: float) -> tuple[str, Claim | None]:
    """A share as text, with the claim that states it."""
    written = percent(share)
    if written is None:
        return "0%", None
    text, value, tolerance = written
    return text, _true(Claim("share", (index,), value=value, tolerance=tolerance, of="absolute"), saliency)


def _true(claim: Claim, saliency: Saliency) -> Claim | None:
    return claim if check([claim], saliency) else None
