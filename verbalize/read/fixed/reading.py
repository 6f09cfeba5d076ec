"""Reads a sentence that is one of the paraphrase grammar: its skeleton is looked up, and its marks become claims."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from verbalize.claims.claim import Claim
from verbalize.phrasing.connectives import CONNECTIVES
from verbalize.read.fixed.scanning import scanned
from verbalize.read.fixed.table import EITHER, UNSIGNED, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from verbalize.claims.claim import ClaimKind, Direction
    from verbalize.evidence import Evidence
    from verbalize.read.fixed.scanning import Scan
    from verbalize.read.fixed.table import Entry
    from verbalize.read.marking.quotations import Quotation
    from verbalize.read.resolver import Mention
    from verbalize.saliency import Part

_OPENINGS = sorted((wording.text for many in CONNECTIVES.values() for wording in many), key=len, reverse=True)
_OPENING = re.compile("|".join(map(re.escape, _OPENINGS)))
_STRONG, _WEAK, _BAND = 0.75, 0.25, 0.25  # "strongly" and "weakly", as shares of the strongest word
_EQUAL, _ABOUT = 0.05, 0.1  # tolerances of "equally", and of "about", as shares of the number


def read_fixed(
    sentence: str,
    quotations: Sequence[Quotation],
    *,
    evidence: Evidence,
    known: Mapping[str, str],
    places: Callable[[str, str], tuple[Part, ...]],
    subject: Sequence[Mention],
    last_label: str | None = None,
) -> tuple[str, list[Claim], tuple[Mention, ...]] | None:
    """The form of statement, the claims, and the parts that a sentence is about; `None` if it is not one of the grammar.

    Args:
        sentence: the sentence.
        quotations: its quotations, with positions in it.
        evidence: the map.
        known: the names of labels, by their form in lower case.
        places: the places of a quoted text in the input.
        subject: the parts that the sentence before was about.
        last_label: the label that the text named last. "It", "that choice" and "the label" are read only if this is the label
            of the query, or if none was named.
    """
    regions = evidence.names if evidence.pixels else ()
    scan = scanned(sentence, quotations, known, places, regions, subject)
    if scan is None:
        return None
    forms = table(evidence.pixels)
    entry = forms.get(scan.skeleton)
    if entry is None and (opening := _OPENING.match(scan.skeleton)):
        entry = forms.get(scan.skeleton[opening.end() :])
    if entry is None or (entry.form not in EITHER and evidence.signed == (entry.form in UNSIGNED)):
        return None
    means_other = last_label is not None and last_label.casefold() != evidence.query.label.casefold()
    if means_other and (entry.pronoun or any(name is None for name, _ in scan.labels)):
        return None
    parts = _parts(entry, scan)
    if parts is None:
        return None
    claims = _Maker(entry, scan, parts).claims()
    return entry.form, claims, tuple(mention for mentions in parts.values() for mention in mentions)


def _parts(entry: Entry, scan: Scan) -> dict[str, list[Mention]] | None:
    """The parts of each slot; `None` if a list has not as many parts as the form needs."""
    found: dict[str, list[Mention]] = {}
    if len(entry.groups) != len(scan.groups):
        return None
    for slots, mentions in zip(entry.groups, scan.groups, strict=True):
        if len(slots) == 1:
            found.setdefault(slots[0], []).extend(mentions)
        elif len(slots) == len(mentions):
            for slot, mention in zip(slots, mentions, strict=True):
                found.setdefault(slot, []).append(mention)
        else:
            return None
    return found


class _Maker:
    """Makes the claims of one sentence."""

    def __init__(self, entry: Entry, scan: Scan, parts: dict[str, list[Mention]]) -> None:
        self.entry, self.scan, self.parts = entry, scan, parts
        self.side: Direction = entry.direction or "supports"
        self.label: str | None = None
        self.versus: tuple[str, ...] | None = None
        self.other_label: str | None = None
        for slot, (name, versus) in zip(entry.labels, scan.labels, strict=False):
            if slot == "L":
                self.other_label = name
            else:
                self.label, self.versus = name, versus
        self.made: list[Claim] = []

    def claims(self) -> list[Claim]:
        """All claims of the sentence."""
        form = self.entry.form
        p, q, r = (self.parts.get(slot, []) for slot in "PQR")
        shares = [number for slot, number in zip(self.entry.numbers, self.scan.numbers, strict=True) if slot == "share"]
        match form:
            case "supports" | "opposes":
                self.each(form, p)
            case "signs_both":
                self.each("supports", p)
                self.each("opposes", q)
            case "signs_shares":
                self.each(self.side, p)
                self.shares(p, shares)
            case "strong" | "weak":
                self.each("strength", p, value=_STRONG if form == "strong" else _WEAK, tolerance=_BAND, direction=self.side)
            case "only":
                self.say("only", _union(p), direction=self.side)
            case "nothing_toward":
                self.say("no_clear_evidence", (), direction=self.side)
            case "nothing":
                self.say("no_clear_evidence", ())
            case "near_zero" | "matters" | "least_important":
                self.each(form, p)
            case "most_important":
                self.first(p)
            case "first_share":
                self.first(p)
                self.shares(p, shares)
            case "equal_first":
                for mention in p:
                    rest = tuple(index for other in p if other is not mention for index in _part(other))
                    self.say("most_important", _part(mention), other=rest, direction=self.side, shared=True)
                for mention in p[1:]:  # "shared" alone would only say that each is among the first
                    self.say("equal", _part(p[0]), other=_part(mention), direction=self.side, tolerance=_EQUAL)
            case "followed":
                self.first(p)
                for before, after in zip([*p, *q], q, strict=False):
                    self.say("more_important_than", _part(before), other=_part(after), direction=self.side)
            case "first_second" | "first_second_third":
                self.first(p)
                self.each("rank", q, value=2.0, direction=self.side)
                self.each("rank", r, value=3.0, direction=self.side)
            case "rank":
                self.each("rank", p, value=self.entry.value, direction=self.side)
            case "more_important_than":
                for mine in p:
                    for theirs in q:
                        self.say("more_important_than", _part(mine), other=_part(theirs), direction=self.side)
            case "equal":
                self.say("equal", _part(p[0]), other=_part(q[0]), direction=self.side, tolerance=_EQUAL)
            case "ratio":
                times = self.entry.value or 1.0
                self.say("ratio", _union(p), other=_union(q), value=times, tolerance=_ABOUT * times, direction=self.side)
            case "matters_most" | "matters_most_share":
                self.each("most_important", p)
                self.shares(p if shares else [], shares)
            case "share" | "shares" | "mattering_share":
                self.shares(p, shares)
            case "together_signs":
                self.each(self.side, p)
                self.shares([p], shares)
            case "together" | "mattering_together":
                self.shares([p], shares)
            case "score":
                value, tolerance = self.scan.numbers[0]
                self.each("share", p, value=value, tolerance=tolerance, of="score")
            case "count" | "count_both":
                sides: tuple[Direction, ...] = (self.side,) if form == "count" else ("supports", "opposes")
                for side, (value, _) in zip(sides, self.scan.numbers, strict=True):
                    self.say("count", (), value=value, direction=side)
            case "balance":
                self.say("balance", (), direction=self.side)
            case "balance_share":
                self.say("balance", (), value=shares[0][0], tolerance=shares[0][1], direction=self.side)
            case "predicted" | "predicted_confidence" | "confidence" | "runner_up":
                self.model(form, shares)
        return self.made

    def say(self, kind: ClaimKind, part: Part, **more: object) -> None:
        """Add a claim, with the label that the sentence names."""
        label, versus = (None, None) if kind == "share" else (self.label, self.versus)
        self.made.append(Claim(kind, part, label=label, versus=versus, **more))  # type: ignore[arg-type]

    def each(self, kind: ClaimKind, mentions: Sequence[Mention], **more: object) -> None:
        """Add a claim about each part."""
        for mention in mentions:
            self.say(kind, _part(mention), quote=mention.quote, **more)

    def first(self, mentions: Sequence[Mention]) -> None:
        """Add the claims that a part is the most important, and that it speaks in the direction."""
        self.each(self.side, mentions)
        self.each("most_important", mentions, direction=self.side)

    def shares(self, held: Sequence[Mention | list[Mention]], numbers: Sequence[tuple[float, float]]) -> None:
        """Add the shares of parts, or of several parts together."""
        for one, (value, tolerance) in zip(held, numbers, strict=True):
            part = _union(one) if isinstance(one, list) else _part(one)
            self.say("share", part, value=value, tolerance=tolerance, of="absolute")

    def model(self, form: str, shares: Sequence[tuple[float, float]]) -> None:
        """Add what the sentence says of the model."""
        name = self.other_label
        if form in ("predicted", "predicted_confidence"):
            self.made.append(Claim("predicted", (), label=name))
        if form in ("confidence", "predicted_confidence"):
            self.made.append(Claim("confidence", (), label=name, value=shares[0][0], tolerance=shares[0][1]))
        if form == "runner_up":
            self.made.append(Claim("runner_up", (), label=name, value=2.0))


def _part(mention: Mention) -> Part:
    return mention.places[0]


def _union(mentions: Sequence[Mention]) -> Part:
    return tuple(index for mention in mentions for index in _part(mention))
