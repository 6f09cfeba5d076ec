"""Masked inputs that were asked for, and their run: each distinct one once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evals.faithfulness.hiding.asks import Hide
    from evals.faithfulness.hiding.ordering import Ordering
    from evals.faithfulness.hiding.own_masks import Masked, OwnMasks
    from verbalize.masking import MaskedInputs
    from verbalize.saliency import Floats

_TOGETHER = 256  # masks of texts that are made at once to see which texts are equal
_MASKS = 2**16  # parts of masks that are made at once for batches that are smaller
_TOP, _BOTTOM, _OWN = 0, 1, 2


class Remembered:
    """Answers to masked inputs by their numbers, up to so many bytes, for the next block of maps of the same input."""

    def __init__(self, room: float) -> None:
        self._room = room
        self._numbers = np.empty(0, dtype=np.uint64)
        self._answers: Floats | None = None

    def find(self, numbers: NDArray[np.uint64]) -> tuple[NDArray[np.bool_], Floats | None]:
        """Which of these are known, and the answers to those."""
        if self._answers is None or not len(numbers):
            return np.zeros(len(numbers), dtype=bool), None
        places = np.minimum(np.searchsorted(self._numbers, numbers), len(self._numbers) - 1)
        known = self._numbers[places] == numbers
        return known, self._answers[places[known]]

    def add(self, numbers: NDArray[np.uint64], answers: Floats, likely: NDArray[np.bool_]) -> None:
        """Remember distinct masked inputs: the known ones, then those that are `likely` to be asked for again."""
        known, _ = self.find(numbers)
        if self._answers is None:
            self._answers = answers[:0]
        left = int(self._room / (8 + 8 * answers.shape[1])) - len(self._numbers)
        new = np.flatnonzero(~known)
        new = new[np.argsort(~likely[new], kind="stable")][: max(0, left)]
        together = np.concatenate([self._numbers, numbers[new]])
        order = np.argsort(together)
        self._numbers, self._answers = together[order], np.concatenate([self._answers, answers[new]])[order]


class Jobs:
    """Masked inputs that were asked for, as numbers until they are run.

    Args:
        ordering: the parts of N maps in order.
        inputs: (N,) which input each map is of.
        salts: for each input a number that tells it from other inputs.
        own: the masks that metrics made.
    """

    def __init__(self, ordering: Ordering, inputs: NDArray[np.intp], salts: NDArray[np.uint64], own: OwnMasks) -> None:
        self._ordering, self._inputs, self._salts, self._own = ordering, inputs, salts, own
        self._rows: list[NDArray[np.intp]] = []
        self._kinds: list[NDArray[np.int8]] = []
        self._counts: list[NDArray[np.int64]] = []  # how many parts are hidden
        self._sets: list[NDArray[np.uint64]] = []  # which parts are hidden, as a number
        self._numbers: list[NDArray[np.uint64]] = []  # the same with what stands in their place
        self._fills: list[NDArray[np.intp]] = []
        self._names: list[str] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def hide(self, ask: Hide, fill: str) -> None:
        """Ask for shares of all maps."""
        counts = np.stack([ask.counts(int(parts)) for parts in self._ordering.parts]).reshape(-1)
        rows = np.repeat(np.arange(len(self._inputs)), len(ask.shares))
        kind = _BOTTOM if ask.what == "bottom" else _TOP
        self._add(rows, kind, counts, self._ordering.numbers(rows, ask.what, counts), fill)

    def keep(self, row: int, masked: Masked, fill: str) -> None:
        """Ask for masks of one map."""
        self._add(np.full(len(masked.numbers), row), _OWN, masked.hidden, masked.numbers, fill)

    def _add(self, rows: NDArray[np.intp], kind: int, counts: NDArray[np.int64], sets: NDArray[np.uint64], fill: str) -> None:
        if fill not in self._names:
            self._names.append(fill)
        which = self._names.index(fill)
        salt = np.random.default_rng([1, which]).integers(0, 2**64, dtype=np.uint64)
        self._rows.append(rows)
        self._kinds.append(np.full(len(rows), kind, dtype=np.int8))
        self._counts.append(counts)
        self._sets.append(sets)
        self._numbers.append(sets + np.where(counts > 0, salt, np.uint64(0)))  # the whole input has no fill
        self._fills.append(np.full(len(rows), which))
        self._length += len(rows)

    @property
    def rows(self) -> NDArray[np.intp]:
        """The map of each masked input that was asked for."""
        return np.concatenate(self._rows)

    def run(self, inputs: MaskedInputs, remembered: Remembered | None) -> tuple[NDArray[np.uint64], Floats]:
        """The number and the logits of each masked input that was asked for."""
        rows, fills, kinds = self.rows, np.concatenate(self._fills), np.concatenate(self._kinds)
        counts, sets = np.concatenate(self._counts), np.concatenate(self._sets)
        which = self._inputs[rows]
        distinct, firsts, back = np.unique(
            np.concatenate(self._numbers) + self._salts[which], return_index=True, return_inverse=True
        )
        hidden_all = counts == self._ordering.parts[rows]
        likely = ((kinds == _OWN) | (counts == 0) | hidden_all)[firsts]  # other maps of the input ask for these, too

        def kept(jobs: NDArray[np.intp]) -> NDArray[np.bool_]:
            return self._kept(rows[jobs], kinds[jobs], counts[jobs], sets[jobs])

        contents = self._contents(inputs, firsts, which, fills, kept)
        if contents is not None:
            distinct, again, onto = np.unique(contents, return_index=True, return_inverse=True)
            firsts, likely, back = firsts[again], likely[again], onto[back]
        known, answered = (np.zeros(len(distinct), dtype=bool), None) if remembered is None else remembered.find(distinct)
        answers: Floats | None = None
        if answered is not None:
            answers = np.empty((len(distinct), answered.shape[1]))
            answers[known] = answered
        # inputs of like length share a call of the model, those of one fill have to
        words = self._ordering.parts[rows[firsts]] - counts[firsts]
        turn = np.lexsort((firsts, words if min(self._ordering.parts) < max(self._ordering.parts) else firsts, fills[firsts]))
        turn = turn[~known[turn]]
        fill_of = fills[firsts][turn]
        # masks of several small batches are made at once, which costs less than making them batch by batch
        together = inputs.batch_size * max(1, _MASKS // (inputs.batch_size * int(self._ordering.parts.max(initial=1) or 1)))
        for fill in np.unique(fill_of):
            chosen = turn[fill_of == fill]
            for start in range(0, len(chosen), together):
                some = chosen[start : start + together]
                jobs = firsts[some]
                said = inputs.run(which[jobs], kept(jobs), self._names[fill])
                if answers is None:
                    answers = np.empty((len(firsts), said.shape[1]))
                answers[some] = said
        if answers is None:
            raise UsageError("nothing was asked of the model")
        if remembered is not None:
            remembered.add(distinct, answers, likely)
        return distinct[back], answers[back]

    def _contents(
        self,
        inputs: MaskedInputs,
        firsts: NDArray[np.intp],
        which: NDArray[np.intp],
        fills: NDArray[np.intp],
        kept: Callable[[NDArray[np.intp]], NDArray[np.bool_]],
    ) -> NDArray[np.uint64] | None:
        """A number for each of the masked inputs, equal for equal texts; `None` where only masks are compared."""
        one = firsts[:1]
        if inputs.contents(which[one], kept(one), self._names[int(fills[one][0])]) is None:
            return None
        found = np.empty(len(firsts), dtype=np.uint64)
        for fill in np.unique(fills[firsts]):
            chosen = np.flatnonzero(fills[firsts] == fill)
            for start in range(0, len(chosen), _TOGETHER):
                some = chosen[start : start + _TOGETHER]
                jobs = firsts[some]
                contents = inputs.contents(which[jobs], kept(jobs), self._names[fill]) or []
                found[some] = [int.from_bytes(content[:8], "little") for content in contents]
        return found

    def _kept(
        self,
        rows: NDArray[np.intp],
        kinds: NDArray[np.int8],
        counts: NDArray[np.int64],
        sets: NDArray[np.uint64],
    ) -> NDArray[np.bool_]:
        own = kinds == _OWN
        if own.all():
            kept = np.ones((len(rows), int(self._ordering.parts.max())), dtype=bool)
        else:
            kept = self._ordering.kept(rows, kinds == _BOTTOM, np.where(own, 0, counts))
        for index in np.flatnonzero(own):
            parts = int(self._ordering.parts[rows[index]])
            kept[index, :parts] = self._own.mask(parts, int(sets[index]))
        return kept
