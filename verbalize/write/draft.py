"""A text while it is being written: its sentences, the claims that they make, and the names of the parts."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.claim import Claim
from verbalize.saliency import PixelSaliency, TokenSaliency
from verbalize.write.naming import QUOTES, Frame, WordIndex, capital, fraction, mention, percent, quoted, squeeze
from verbalize.write.voice import Voice, names_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Direction, ShareOf
    from verbalize.evidence import Evidence
    from verbalize.saliency import Part, Saliency


@dataclass
class Draft:
    """A text while it is being written: its sentences, and the claims that they make."""

    saliency: Saliency
    evidence: Evidence
    frame: Frame
    sentences: list[str] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    quotes: Sequence[tuple[str, str, str]] = QUOTES

    def __post_init__(self) -> None:
        self._index = WordIndex.of(self.saliency) if isinstance(self.saliency, TokenSaliency) else None
        query = self.saliency.query
        prediction = self.saliency.prediction
        predicted = () if prediction is None else (prediction.label, *prediction.scores)
        self._labels = {squeeze(name).casefold() for name in (query.label, *query.versus, *query.members, *predicted)}
        if isinstance(self.saliency, TokenSaliency):
            content = "\0".join(self.saliency.tokens).encode("utf-8", "surrogatepass")
        else:
            content = b""
        self.breaks = self._index.bounds.phrases if self._index else ()
        self.compounds = self._index.bounds.compounds if self._index else ()
        self._turn = zlib.crc32(self.saliency.scores.tobytes(), zlib.crc32(content))
        self.clause = ""
        self.clause_claims: tuple[Claim, ...] = ()

    @property
    def whole(self) -> str:
        """The word for the whole input: "picture" or "text"."""
        return "picture" if self.evidence.pixels else "text"

    @property
    def all_of_it(self) -> str:
        """The words for the whole that shares are of."""
        return "all the evidence" if self.evidence.signed else "the importance"

    def voice(self, direction: Direction) -> Voice:
        """The words and claims for a direction of this map."""
        return Voice.of(self.evidence, direction, label=names_label(self.saliency))

    def say(self, clause: str, *claims: Claim) -> None:
        """Add a sentence and its claims.

        If the sentence names the query in full, its claims carry the label too, except for claims about shares.
        """
        self.sentences.append(capital(clause) + ".")
        frame = self.frame
        in_full = any(f"{word} {frame.full}" in clause for word in ("for", "against", "on"))
        for claim in claims:
            names_label = in_full and claim.kind != "share"
            self.claims.append(replace(claim, label=frame.label, versus=frame.versus) if names_label else claim)
        if len(self.sentences) == 1:
            self.clause, self.clause_claims = clause, tuple(self.claims)

    def pick(self, *phrases: str) -> str:
        """Choose one of several phrases with the same meaning. The choice depends only on the map, so it is repeatable."""
        self._turn = zlib.crc32(b"next", self._turn)
        return phrases[self._turn % len(phrases)]

    def places(self, words: str) -> tuple[Part, ...]:
        """The places of words in the text, including case; none in a picture."""
        return () if self._index is None else self._index.places(words)

    def name(self, part: Part, noun: str = "") -> str:
        """The name of a part in a sentence.

        `noun` is written before quoted words only. Words that equal the name of a label always get a noun.
        """
        if isinstance(self.saliency, TokenSaliency) and self._index is not None:
            if squeeze(self.saliency.text_of(part)).casefold() in self._labels:
                noun = noun or ("word" if len(part) == 1 else "phrase")
            return mention(self.saliency, part, self._index, self.quotes, noun)
        region = self.evidence.names[part[0]]
        if isinstance(self.saliency, PixelSaliency) and self.saliency.masks is None:
            return f"the {region}"
        marked = quoted(region)
        return f"the region {marked}" if marked else f"region number {part[0] + 1}"

    def nouns(self, parts: Sequence[Part]) -> tuple[str, str]:
        """The noun for the parts, in singular and plural."""
        if self.evidence.pixels:
            return "region", "regions"
        return ("word", "words") if all(len(part) == 1 for part in parts) else ("part of the text", "parts of the text")

    def share(self, part: Part, of: ShareOf = "absolute") -> tuple[str, Claim] | None:
        """A part's share of the evidence in the map, in per cent, and the claim that it makes; `None` if it is 0."""
        total = self.evidence.total(of)
        written = percent(self.evidence.mass(part, of) / total) if 0 < total < np.inf else None
        if written is None:
            return None
        text, value, tolerance = written
        return text, Claim("share", part, value=value, tolerance=tolerance, of=of)

    def amount(self, part: Part) -> tuple[str, Claim] | None:
        """A part's share with its whole, as in "46% of all the evidence", and the claim; `None` if the share is 0.

        Of an unsigned map, it is a share of the importance.
        """
        share = self.share(part)
        if share is None:
            return None
        return f"{share[0]} of {self.all_of_it}", share[1]

    def area(self, part: Part) -> tuple[str, Claim] | None:
        """The share of the picture that a region fills, as in "about a tenth of the picture", and the claim that it makes."""
        areas = self.evidence.areas
        written = fraction(float(areas[list(part)].sum())) if areas is not None else None
        if written is None:
            return None
        text, value, tolerance = written
        return f"{text} of the picture", Claim("share", part, value=value, tolerance=tolerance, of="area")

    def with_shares(self, parts: Sequence[Part], most: Part) -> tuple[list[str], tuple[Claim, ...]]:
        """The names of parts with their shares in brackets, and the claims that the shares make.

        There are no shares if one of them is larger than that of `most`, the part that was said to be the most important.
        (A region that speaks most for a label need not hold most of the evidence: part of it may speak against the label.)
        """
        shares = [self.share(part) for part in parts]
        first = self.evidence.mass(most, "absolute")
        if None in shares or any(self.evidence.mass(part, "absolute") > first for part in parts):
            return [self.name(part) for part in parts], ()
        given = [share for share in shares if share]
        named = [f"{self.name(part)} ({share[0]})" for part, share in zip(parts, given, strict=True)]
        return named, tuple(share[1] for share in given)
