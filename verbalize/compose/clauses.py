"""From claims to clauses: which claims one clause can say together, and in which form."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from verbalize.claims.claim import Claim, Direction
    from verbalize.saliency import Part

_SIDES: tuple[Direction, Direction] = ("supports", "opposes")
_STRONG = 0.5  # values of "strength" above are called strong, those below weak


@dataclass(frozen=True)
class Clause:
    """Some claims that one clause says.

    Args:
        form: the form of statement, a key of `FORMS`.
        claims: the claims.
        parts: the parts that the clause is about, in the order in which it names them.
        others: the parts that it compares them with.
        direction: the side that it speaks of; `None` if it speaks of neither, or of both.
        shares: the shares that stand in brackets after the parts.
    """

    form: str
    claims: tuple[Claim, ...]
    parts: tuple[Part, ...] = ()
    others: tuple[Part, ...] = ()
    direction: Direction | None = None
    shares: Mapping[Part, Claim] = field(default_factory=dict)


def clauses_of(claims: Sequence[Claim], *, signed: bool = True) -> list[Clause]:
    """Clauses that say the claims, as few as possible, in the order of the first claim of each."""
    left = list(dict.fromkeys(claims))
    found: list[Clause] = []
    for side in _SIDES:
        found += _together(left, side)
        found += _firsts(left, side) if signed else []
        found += _signs(left, side)
    found += _shares(left) if signed else _mattering_most(left)
    found += _pairs(left)
    found += _lists(left)
    found += [single(claim, signed=signed) for claim in left]
    order = {claim: place for place, claim in reversed(list(enumerate(claims)))}
    return _joined(sorted(found, key=lambda clause: min(order[claim] for claim in clause.claims)))


def single(claim: Claim, *, signed: bool = True) -> Clause:
    """The clause that says one claim, and nothing else."""
    part, other = (claim.part or (),), (claim.other or (),)
    match claim.kind:
        case "supports" | "opposes":
            return Clause(claim.kind, (claim,), part, direction=claim.kind)
        case "share" if claim.of == "score":
            return Clause("score", (claim,), part)
        case "share" if not signed:
            together = scattered(part[0])
            names = tuple((index,) for index in part[0]) if together else part
            return Clause("mattering_together" if together else "mattering_share", (claim,), names)
        case "share" if scattered(part[0]):
            return Clause("together", (claim,), tuple((index,) for index in part[0]))
        case "share":
            return Clause("share", (claim,), part)
        case "no_clear_evidence":
            return Clause("nothing" if claim.direction is None else "nothing_toward", (claim,), direction=claim.direction)
        case "balance":
            return Clause("balance" if claim.value is None else "balance_share", (claim,), direction=claim.direction)
        case "strength":
            form = "strong" if (claim.value or 0) > _STRONG else "weak"
            return Clause(form, (claim,), part, direction=claim.direction or "supports")
        case "only":
            return Clause("only", (claim,), tuple((index,) for index in part[0]), direction=claim.direction or "supports")
        case "most_important" if not signed:
            return Clause("matters_most", (claim,), part)
        case "predicted" | "confidence" | "runner_up" | "count":
            return Clause(claim.kind, (claim,), direction=claim.direction)
        case "near_zero" | "matters" | "least_important":
            return Clause(claim.kind, (claim,), part)
        case _:
            return Clause(claim.kind, (claim,), part, other if claim.other else (), claim.direction or "supports")


def scattered(part: Part) -> bool:
    """Whether a part is several words that are named one by one: "'a' and 'b' together"."""
    return len(part) > 1 and part[-1] - part[0] != len(part) - 1


def _take(left: list[Claim], wanted: Callable[[Claim], bool]) -> list[Claim]:
    taken = [claim for claim in left if wanted(claim)]
    for claim in taken:
        left.remove(claim)
    return taken


def _firsts(left: list[Claim], side: Direction) -> list[Clause]:
    """The most important part, with its share, with what follows it, or with the second and the third."""

    def toward(claim: Claim) -> bool:
        return (claim.direction or "supports") == side

    firsts = _take(left, lambda claim: claim.kind == "most_important" and toward(claim))
    if not firsts:
        return []
    if len(firsts) > 1:
        tied = {claim.part for claim in firsts}
        equal = _take(left, lambda claim: claim.kind == "equal" and toward(claim) and {claim.part, claim.other} <= tied)
        parts = tuple(claim.part or () for claim in firsts)
        return [Clause("equal_first", (*firsts, *equal), parts, direction=side)]
    (first,) = firsts
    part = first.part or ()
    # "the most important" says the sign, too
    _drop(left, lambda claim: claim.kind == side and claim.part == part)
    ranks = {int(claim.value or 0): claim for claim in left if claim.kind == "rank" and toward(claim)}
    if 2 in ranks:
        named = [ranks[place] for place in (2, 3) if place in ranks]
        for claim in named:
            left.remove(claim)
        form = "first_second_third" if len(named) > 1 else "first_second"
        return [Clause(form, (first, *named), (part,), tuple(claim.part or () for claim in named), side)]
    chain = [part]
    steps: list[Claim] = []
    while step := next(
        (one for one in left if one.kind == "more_important_than" and toward(one) and one.part == chain[-1] and one.other), None
    ):
        left.remove(step)
        steps.append(step)
        chain.append(step.other or ())
    if steps:
        return [Clause("followed", (first, *steps), (part,), tuple(chain[1:]), side)]
    shares = _take(left, lambda claim: claim.kind == "share" and claim.of == "absolute" and claim.part == part)
    if shares:
        return [Clause("first_share", (first, shares[0]), (part,), direction=side)]
    return [Clause("most_important", (first,), (part,), direction=side)]


def _drop(left: list[Claim], unwanted: Callable[[Claim], bool]) -> None:
    left[:] = [claim for claim in left if not unwanted(claim)]


def _together(left: list[Claim], side: Direction) -> list[Clause]:
    """A share of several words together, with the side on which all of them speak."""
    found = []
    for share in [claim for claim in left if claim.kind == "share" and claim.of == "absolute" and scattered(claim.part or ())]:
        parts = tuple((index,) for index in share.part or ())
        signs = [claim for claim in left if claim.kind == side and claim.part in parts]
        if len(signs) == len(parts):
            held = [claim.part for claim in left if claim.kind == "share" and claim is not share]
            left.remove(share)
            _drop(left, lambda claim, signs=signs, held=held: claim in signs and claim.part not in held)  # type: ignore[misc]
            found.append(Clause("together_signs", (share, *signs), parts, direction=side))
    return found


def _signs(left: list[Claim], side: Direction) -> list[Clause]:
    """The parts that speak on a side: those with shares in one clause, those without in another."""
    signs = _take(left, lambda claim: claim.kind == side)
    shares = {claim.part: claim for claim in left if claim.kind == "share" and claim.of == "absolute"}
    found = []
    with_share = [claim for claim in signs if claim.part in shares]
    if with_share:
        held = {claim.part or (): shares[claim.part] for claim in with_share}
        for claim in held.values():
            left.remove(claim)
        claims = (*with_share, *held.values())
        found.append(Clause("signs_shares", claims, tuple(claim.part or () for claim in with_share), (), side, held))
    without = [claim for claim in signs if claim.part not in shares]
    if without:
        found.append(Clause(side, tuple(without), tuple(claim.part or () for claim in without), direction=side))
    return found


def _shares(left: list[Claim]) -> list[Clause]:
    """Shares of parts, in one clause if there are several; the largest first."""
    shares = _take(left, lambda claim: claim.kind == "share" and claim.of == "absolute" and not scattered(claim.part or ()))
    if len(shares) <= 1:
        return [single(claim) for claim in shares]
    shares.sort(key=lambda claim: -(claim.value or 0))
    held = {claim.part or (): claim for claim in shares}
    return [Clause("shares", tuple(shares), tuple(held), shares=held)]


def _mattering_most(left: list[Claim]) -> list[Clause]:
    """What matters most on an unsigned map, with its share."""
    first = next((claim for claim in left if claim.kind == "most_important" and not claim.other), None)
    share = next((claim for claim in left if first and claim.kind == "share" and claim.part == first.part), None)
    if first is None or share is None:
        return []
    _drop(left, lambda claim: claim in (first, share))
    return [Clause("matters_most_share", (first, share), (first.part or (),))]


def _pairs(left: list[Claim]) -> list[Clause]:
    """Claims that go in pairs: the counts of both sides, and the prediction with its probability."""
    found = []
    counts = {claim.direction: claim for claim in left if claim.kind == "count"}
    if set(counts) >= set(_SIDES):
        both = (counts["supports"], counts["opposes"])
        _drop(left, lambda claim: claim in both)
        found.append(Clause("count_both", both))
    predicted = next((claim for claim in left if claim.kind == "predicted"), None)
    sure = next((claim for claim in left if claim.kind == "confidence" and predicted and claim.label == predicted.label), None)
    if predicted and sure:
        _drop(left, lambda claim: claim in (predicted, sure))
        found.append(Clause("predicted_confidence", (predicted, sure)))
    return found


def _lists(left: list[Claim]) -> list[Clause]:
    """Claims of one kind about several parts: "'a' and 'b' hardly matter"."""
    kinds: dict[str, list[Claim]] = defaultdict(list)
    for claim in _take(left, lambda claim: claim.kind in ("near_zero", "matters")):
        kinds[claim.kind].append(claim)
    return [Clause(kind, tuple(claims), tuple(claim.part or () for claim in claims)) for kind, claims in kinds.items()]


def _joined(clauses: list[Clause]) -> list[Clause]:
    """The clauses, with what speaks for the label and what speaks against it in one clause if they follow each other."""
    made: list[Clause] = []
    for clause in clauses:
        before = made[-1] if made else None
        if before and before.form == "supports" and clause.form == "opposes":
            made[-1] = Clause("signs_both", before.claims + clause.claims, before.parts, clause.parts)
        else:
            made.append(clause)
    return made
