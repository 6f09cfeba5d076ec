"""How far methods agree: its numbers and its words, which are true of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from evals.faithfulness.comparing.agreed_words import number, shortly
from evals.tables import Table
from verbalize.write.naming import capital

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verbalize.saliency import Floats, PixelSaliency

_TIED = 1e-9
_MOST_DIGITS = 8


@dataclass(frozen=True, eq=False)
class InputAgreement:
    """One input under M methods.

    Args:
        id: the id of the first method's map.
        parts: the P words or regions that at least one method names, or of which one map speaks clearly for or against the
            label.
        places: the place of each part in the input: the number of a word in the text, or of a region in `joint`, from 1 on.
        named: (M, P) whether a method names a part: whether it is among the most important ones of its map.
        directions: (M, P) 1 where a map with signs says clearly that the part speaks for the label, -1 where it says that it
            speaks against it, 0 elsewhere.
        flat: (M,) whether all scores of a map are equal. Such a map names nothing, and does not count.
        text: the agreement in words.
        joint: the regions of a picture, under their numbers and names; `None` for a text.
    """

    id: str
    parts: tuple[str, ...]
    places: tuple[int, ...]
    named: NDArray[np.bool_]
    directions: NDArray[np.int8]
    flat: NDArray[np.bool_]
    text: str
    joint: PixelSaliency | None = None

    def named_by(self, row: int) -> list[str]:
        """The parts that a method names."""
        return [part for part, yes in zip(self.parts, self.named[row], strict=True) if yes]


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far M methods agree over N inputs.

    Args:
        methods: M names.
        k: how many words of an input count as named by a method.
        inputs: what was found for each input.
        correlation: (M, M) mean over inputs of Spearman's rank correlation of two maps; NaN where there is none.
        overlap: (M, M) mean over inputs of the share of named parts that two methods have in common (Jaccard index).
        signs: (M, M) mean over inputs of the share of parts, named by either, to which two signed maps give the same sign; NaN
            where a map has no signs.
        compared: how many distinct inputs two methods or more could be compared on.
        pairs: for each pair of methods, its means with intervals over inputs.
    """

    methods: tuple[str, ...]
    k: int
    inputs: tuple[InputAgreement, ...]
    correlation: Floats
    overlap: Floats
    signs: Floats
    compared: int
    pairs: Table

    def sentences(self) -> list[str]:
        """The agreement of the methods over all inputs, in words."""
        if len(self.methods) < 2:
            return ["There is one method, which has nothing to agree with.", *self._flat()]
        shares = {
            (self.methods[a], self.methods[b]): float(self.overlap[a, b])
            for a, b in combinations(range(len(self.methods)), 2)
            if not np.isnan(self.overlap[a, b])
        }
        noun = self._noun()
        if not shares:
            where = f", of which one names a {noun}" if noun != "word" else ""
            return [f"No two methods can be compared: no input has two maps that are not flat{where}.", *self._flat()]
        inputs = f"{self.compared} input{'' if self.compared == 1 else 's'}"
        mean = f"{np.mean(list(shares.values())):.0%}"
        said = [f"Of the {noun}s that either of two methods names, both name {mean} on average (Jaccard index, {inputs})."]
        most, least = max(shares.values()), min(shares.values())
        if len(shares) > 1 and most <= least + _TIED:
            said.append("It is the same share for each pair of methods.")
        elif len(shares) > 1:
            high, low = _apart(most, least)
            said.append(_pairs([pair for pair, share in shares.items() if share >= most - _TIED], "most", high))
            said.append(_pairs([pair for pair, share in shares.items() if share <= least + _TIED], "least", low))
        return said + self._flat()

    def table(self) -> Table:
        """One row per input: its agreement in words, and the parts that each method names, as a JSON list."""
        rows = [
            {
                "id": one.id,
                "text": one.text,
                **{name: json.dumps(one.named_by(row), ensure_ascii=False) for row, name in enumerate(self.methods)},
            }
            for one in self.inputs
        ]
        return Table(("id", "text", *self.methods), tuple(rows))

    def _noun(self) -> str:
        kinds = {one.joint is not None for one in self.inputs}
        return "part" if len(kinds) > 1 else "region" if kinds == {True} else "word"

    def _flat(self) -> list[str]:
        said = []
        for name, count in zip(self.methods, np.sum([one.flat for one in self.inputs], axis=0).tolist(), strict=True):
            total = len(self.inputs)
            if count == 1:
                which = f"The map of {name}" if total == 1 else f"1 of the {total} maps of {name}"
                said.append(f"{which} is flat and does not count.")
            elif count:
                which = f"All maps of {name}" if count == total else f"{count} of the {total} maps of {name}"
                said.append(f"{which} are flat and do not count.")
        return said


def _pairs(pairs: list[tuple[str, str]], degree: str, share: str) -> str:
    if len(pairs) == 1:
        return f"{pairs[0][0]} and {pairs[0][1]} agree {degree} ({share})."
    names = [f"{a} with {b}" for a, b in pairs]
    return f"{capital(number(len(pairs)))} pairs agree {degree} ({share}): {shortly(names, 'pair')}."


def _apart(*shares: float) -> list[str]:
    """Shares in per cent, with as many digits as show that they differ."""
    for digits in range(_MOST_DIGITS):
        spelled = [f"{share:.{digits}%}" for share in shares]
        if len(set(spelled)) == len(spelled):
            break
    return spelled
