"""Do two captions say the same in other words? An encoder tells."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from agents.encoders.vectors import unit_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder

ALIKE = 0.97
"""Cosine below which two captions differ. MiniLM puts "large ears" and "big ears" at 0.988, "a long tail" and "a lengthy tail"
at 0.981. It also puts opposites there: of FuDD's captions, "long, narrow muzzle" and "short, wide muzzle" have 0.991."""

_ROUNDING = 1e-4
"""By how much the cosine of the same two words may differ between batches: the closest opposites must stay opposites."""

OPPOSITES = (
    *(("small", "large"), ("larger", "smaller"), ("long", "short"), ("wide", "narrow"), ("thick", "thin"), ("black", "white")),
    *(("light", "dark"), ("lighter", "darker"), ("high", "low"), ("two", "three"), ("red", "blue"), ("pointed", "rounded")),
    *(("smooth", "rough"), ("open", "closed"), ("flat", "curved"), ("long narrow", "short wide")),
)
"""Words that tell classes apart, and that encoders put close together, because they stand in the same places."""


class Likeness:
    """Tells which texts say the same in other words, by an encoder's vectors.

    Encoders put opposites close together. So two texts are alike only where the words at each place in which they differ are
    closer than all `OPPOSITES` are under the same encoder, and the texts as a whole have a cosine of `ALIKE`. A word more
    on one side is a difference, too.

    Args:
        encoder: for texts.
        empty: words that say nothing.
    """

    def __init__(self, encoder: ImageTextEncoder, empty: Collection[str]) -> None:
        self._encoder, self._empty = encoder, empty
        self._closest: float | None = None

    def alike(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """For each pair of texts, folded and without class names, whether they say the same."""
        differences = [self._differences(*pair) for pair in pairs]
        texts = dict.fromkeys(
            text
            for pair, found in zip(pairs, differences, strict=True)
            if found
            for text in (*pair, *(side for both in found for side in both))
        )
        closest = self._opposites() if texts else 1.0
        row = dict(zip(texts, self._rows(list(texts)), strict=True)) if texts else {}

        def near(pair: tuple[str, str]) -> float:
            return float(row[pair[0]] @ row[pair[1]])

        return [
            found is not None
            and (not found or (near(pair) >= ALIKE and all(near(both) > closest + _ROUNDING for both in found)))
            for pair, found in zip(pairs, differences, strict=True)
        ]

    def _opposites(self) -> float:
        """The cosine of the two opposites that are closest under this encoder."""
        if self._closest is None:
            rows = self._rows([word for both in OPPOSITES for word in both]).reshape(len(OPPOSITES), 2, -1)
            self._closest = float((rows[:, 0] * rows[:, 1]).sum(axis=1).max())
        return self._closest

    def _rows(self, texts: list[str]) -> NDArray[np.float32]:
        return unit_rows(self._encoder.encode_texts(texts))

    def _differences(self, first: str, second: str) -> list[tuple[str, str]] | None:
        """The words at each place where two texts differ; None where one says something that the other lacks."""
        a, b = ([word for word in re.findall(r"\w+", text) if word not in self._empty] for text in (first, second))
        found = []
        for kind, a0, a1, b0, b1 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            if kind in {"insert", "delete"}:
                return None
            if kind == "replace":
                found.append((" ".join(a[a0:a1]), " ".join(b[b0:b1])))
        return found
