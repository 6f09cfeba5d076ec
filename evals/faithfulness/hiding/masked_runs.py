"""Runs a model on the masked inputs that metrics ask for: each distinct one once, in batches, within a bound of memory."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.hiding.asks import WHOLE, Hide
from evals.faithfulness.hiding.ordering import Ordering, importance_of
from saywhy_core.errors import UsageError
from verbalize.masking import mask_inputs
from verbalize.models import as_model
from verbalize.saliency import PixelSaliency

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from numpy.typing import NDArray

    from evals.faithfulness.hiding.asks import Ask
    from evals.faithfulness.hiding.ordering import Order
    from verbalize.masking import MaskedInputs
    from verbalize.models import Model
    from verbalize.saliency import Floats, Saliency

_MEGABYTE = 2**20
_COPIES = 3  # of a batch of masked images: the originals, the fills, and the images in which both are mixed


@dataclass(frozen=True, eq=False)
class Block:
    """Some of the maps, and what the model said of their masked inputs.

    Args:
        rows: which maps.
        class_names: one name per logit.
        found: for each request, (N, S, K) logits; NaN where a map has fewer masks than others.
        numbers: for each request, the numbers of its masked inputs: equal inputs have equal numbers.
        forwards: how many inputs the model was run on.
        default: what stands in the place of hidden parts where a request does not say.
    """

    rows: list[int]
    class_names: tuple[str, ...]
    found: dict[Ask, Floats]
    numbers: dict[Ask, NDArray[np.uint64]]
    forwards: int
    default: str

    @property
    def original(self) -> Floats:
        """(N, 1, K) logits of the inputs of which nothing is hidden."""
        return self.found[WHOLE]


@dataclass(frozen=True, eq=False)
class MaskedRuns:
    """A model and maps whose inputs are run with parts hidden.

    Args:
        model: whatever `verbalize.models.as_model` takes.
        maps: maps over words, or over pixels with their images, which may differ in size.
        order: whether "scores" or their "magnitude" put the parts in order.
        class_names: one name per logit, where the model does not know them.
        batch_size: the most masked inputs in one call of the model.
        memory: about how many megabytes masks, masked inputs and logits may take, besides what the model takes.

    Raises:
        UsageError: there are no maps, or a setting is out of range.
    """

    model: Any
    maps: Sequence[Saliency]
    order: Order = "scores"
    class_names: Sequence[str] | None = None
    batch_size: int = 64
    memory: float = 512

    def __post_init__(self) -> None:
        if not self.maps:
            raise UsageError("there are no maps; give one or more")
        if self.order not in ("scores", "magnitude"):
            raise UsageError(f'parts are put in order by "scores" or "magnitude", not {self.order!r}')
        if self.batch_size < 1 or not self.memory > 0:
            raise UsageError(f"batch_size and memory must be positive, not {self.batch_size} and {self.memory}")

    def blocks(self, asks: Sequence[Ask]) -> Iterator[Block]:
        """The answers to all requests, for some maps at a time. The whole inputs are always among them, as `WHOLE`."""
        opened = as_model(self.model, self.class_names)
        wanted = tuple(dict.fromkeys((WHOLE, *asks)))
        for rows, masks in self._parted(wanted):
            yield self._run(opened, rows, wanted, masks)

    def _parted(self, asks: tuple[Ask, ...]) -> Iterator[tuple[list[int], list[list[NDArray[np.bool_]]]]]:
        """The maps in blocks, with the masks that are not top or bottom shares. Maps of one input stay together."""
        inputs: dict[tuple[Hashable, ...], list[int]] = {}
        for row, one in enumerate(self.maps):
            inputs.setdefault(input_key(one), []).append(row)
        shapes: dict[Hashable, list[list[int]]] = {}
        for key, members in inputs.items():
            shapes.setdefault(key[0], []).append(members)
        room = self.memory * _MEGABYTE / 2
        shares = sum(len(ask.shares) for ask in asks if isinstance(ask, Hide))
        for groups in shapes.values():
            rows: list[int] = []
            masks: list[list[NDArray[np.bool_]]] = []
            taken = 0.0
            for members in groups:
                more = [[ask.masks(self.maps[row]) for ask in asks if not isinstance(ask, Hide)] for row in members]
                size = sum(self._size(row, found, shares) for row, found in zip(members, more, strict=True))
                if rows and taken + size > room:
                    yield rows, masks
                    rows, masks, taken = [], [], 0.0
                rows, masks, taken = rows + members, masks + more, taken + size
            yield rows, masks

    def _size(self, row: int, masks: list[NDArray[np.bool_]], shares: int) -> float:
        """The bytes that a map takes in a block."""
        one = self.maps[row]
        answers = (shares + sum(len(found) for found in masks)) * 16 * len(self.class_names or range(10))
        image = 2 * one.image.nbytes if isinstance(one, PixelSaliency) and one.image is not None else 0
        return 32 * one.scores.size + sum(found.nbytes for found in masks) + answers + image

    def _run(self, model: Model, rows: list[int], asks: tuple[Ask, ...], masks: list[list[NDArray[np.bool_]]]) -> Block:
        maps = [self.maps[row] for row in rows]
        places: dict[tuple[Hashable, ...], int] = {}
        which = np.array([places.setdefault(input_key(one), len(places)) for one in maps], dtype=np.intp)
        firsts = np.unique(which, return_index=True)[1]
        inputs = mask_inputs(model, [maps[first] for first in firsts], batch_size=self._batch(maps[0]))
        jobs = _Jobs(Ordering([importance_of(one, self.order) for one in maps]), which)
        cut: dict[Ask, slice] = {}
        layout: dict[Ask, list[int]] = {}
        own = -1
        for ask in asks:
            begin = len(jobs)
            fill = inputs.fills[0] if ask.by is None else ask.by
            if isinstance(ask, Hide):
                jobs.hide(ask, fill)
            else:
                own += 1
                layout[ask] = [len(found[own]) for found in masks]
                for row, found in enumerate(masks):
                    jobs.keep(row, found[own], fill)
            cut[ask] = slice(begin, len(jobs))
        numbers, logits = jobs.run(inputs)
        found_of: dict[Ask, Floats] = {}
        for ask, part in cut.items():
            if isinstance(ask, Hide):
                found_of[ask] = logits[part].reshape(len(maps), len(ask.shares), -1)
            else:
                found_of[ask] = _ragged(logits[part], layout[ask])
        asked = {ask: numbers[part] for ask, part in cut.items()}
        return Block(rows, inputs.class_names, found_of, asked, inputs.forwards, inputs.fills[0])

    def _batch(self, one: Saliency) -> int:
        if not isinstance(one, PixelSaliency) or one.image is None:
            return self.batch_size
        each = one.image.nbytes * _COPIES + one.scores.size
        return max(1, min(self.batch_size, int(self.memory * _MEGABYTE / 2 / each)))


class _Jobs:
    """Masked inputs that were asked for, as numbers until they are run."""

    def __init__(self, ordering: Ordering, inputs: NDArray[np.intp]) -> None:
        self._ordering, self._inputs = ordering, inputs
        self._rows: list[NDArray[np.intp]] = []
        self._kinds: list[NDArray[np.int8]] = []  # 0: the top is hidden; 1: the bottom; 2: a mask of its own
        self._counts: list[NDArray[np.int64]] = []  # how many are hidden, or which mask of its own
        self._numbers: list[NDArray[np.uint64]] = []
        self._hidden: list[NDArray[np.int64]] = []
        self._fills: list[NDArray[np.intp]] = []
        self._names: list[str] = []
        self._masks: list[NDArray[np.bool_]] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def hide(self, ask: Hide, fill: str) -> None:
        counts = np.stack([ask.counts(int(parts)) for parts in self._ordering.parts]).reshape(-1)
        rows = np.repeat(np.arange(len(self._inputs)), len(ask.shares))
        self._add(rows, int(ask.what == "bottom"), counts, self._ordering.numbers(rows, ask.what, counts), counts, fill)

    def keep(self, row: int, kept: NDArray[np.bool_], fill: str) -> None:
        places = np.arange(len(self._masks), len(self._masks) + len(kept))
        self._masks.extend(kept)
        hidden = kept.shape[1] - kept.sum(axis=1)
        self._add(np.full(len(kept), row), 2, places, self._ordering.numbers_of(kept), hidden, fill)

    def _add(
        self,
        rows: NDArray[np.intp],
        kind: int,
        counts: NDArray[np.int64],
        numbers: NDArray[np.uint64],
        hidden: NDArray[np.int64],
        fill: str,
    ) -> None:
        if fill not in self._names:
            self._names.append(fill)
        which = self._names.index(fill)
        salt = np.random.default_rng([1, which]).integers(0, 2**64, dtype=np.uint64)
        self._rows.append(rows)
        self._kinds.append(np.full(len(rows), kind, dtype=np.int8))
        self._counts.append(counts)
        self._numbers.append(numbers + np.where(hidden > 0, salt, np.uint64(0)))  # the whole input has no fill
        self._hidden.append(hidden)
        self._fills.append(np.full(len(rows), which))
        self._length += len(rows)

    def run(self, inputs: MaskedInputs) -> tuple[NDArray[np.uint64], Floats]:
        """The number and the logits of each masked input that was asked for."""
        rows, kinds, counts, fills = (np.concatenate(one) for one in (self._rows, self._kinds, self._counts, self._fills))
        which = self._inputs[rows]
        salts = np.random.default_rng(2).integers(0, 2**64, int(which.max(initial=0)) + 1, dtype=np.uint64)
        numbers = np.concatenate(self._numbers) + salts[which]
        _, firsts, back = np.unique(numbers, return_index=True, return_inverse=True)
        # inputs of like length share a call of the model, those of one fill have to
        words = self._ordering.parts[rows[firsts]] - np.concatenate(self._hidden)[firsts]
        turn = np.lexsort((firsts, words if min(self._ordering.parts) < max(self._ordering.parts) else firsts, fills[firsts]))
        answers: Floats | None = None
        fill_of = fills[firsts][turn]
        for fill in np.unique(fill_of):
            chosen = turn[fill_of == fill]
            for start in range(0, len(chosen), inputs.batch_size):
                some = chosen[start : start + inputs.batch_size]
                jobs = firsts[some]
                kept = self._kept(rows[jobs], kinds[jobs], counts[jobs])
                said = inputs.run(which[jobs], kept, self._names[fill])
                if answers is None:
                    answers = np.empty((len(firsts), said.shape[1]))
                answers[some] = said
        if answers is None:
            raise UsageError("nothing was asked of the model")
        return numbers, answers[back]

    def _kept(self, rows: NDArray[np.intp], kinds: NDArray[np.int8], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
        own = kinds == 2
        kept = self._ordering.kept(rows, kinds == 1, np.where(own, 0, counts))
        for index in np.flatnonzero(own):
            mask = self._masks[counts[index]]
            kept[index, : len(mask)] = mask
        return kept


def _ragged(logits: Floats, lengths: list[int]) -> Floats:
    found = np.full((len(lengths), max(lengths), logits.shape[1]), np.nan)
    begin = 0
    for row, length in enumerate(lengths):
        found[row, :length] = logits[begin : begin + length]
        begin += length
    return found


def input_key(saliency: Saliency) -> tuple[Hashable, ...]:
    """What tells the input of a map from other inputs. Its first item says which inputs may share a call of the model."""
    if isinstance(saliency, PixelSaliency):
        image = saliency.image
        if image is None:
            raise UsageError("the model takes images, but a map has no image; give maps over pixels with image=")
        return image.shape, blake2b(image.tobytes(), digest_size=16).digest()
    return "text", saliency.tokens, saliency.text, saliency.offsets
