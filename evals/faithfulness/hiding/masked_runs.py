"""Runs a model on the masked inputs that metrics ask for: each distinct one once, in batches, within a bound of memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.hiding.asks import WHOLE, Hide
from evals.faithfulness.hiding.inputs import checked_maps, digest_of, input_key
from evals.faithfulness.hiding.jobs import Jobs, Remembered
from evals.faithfulness.hiding.ordering import Ordering, importance_of
from evals.faithfulness.hiding.planning import parts_of
from evals.faithfulness.settings import checked_number, checked_whole
from saywhy_core.errors import UsageError
from verbalize.masking import mask_inputs
from verbalize.models import as_model
from verbalize.saliency import PixelSaliency

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from numpy.typing import NDArray

    from evals.faithfulness.hiding.asks import Ask
    from evals.faithfulness.hiding.ordering import Order
    from evals.faithfulness.hiding.planning import Part
    from verbalize.models import Model
    from verbalize.saliency import Floats, Saliency

_MEGABYTE = 2**20
_COPIES = 3  # of a batch of masked images: the originals, the fills, and the images in which both are mixed
_MASK = 6  # bytes per pixel of a mask that is made: the rank of the pixel, the mask, and its copy on the device
_PART = 1 / 6  # of the memory for a block of maps: two more are planned meanwhile, and a batch has the other half


@dataclass(frozen=True, eq=False)
class Asked:
    """The masked inputs of a request: the number of each, equal for equal inputs, and the map that it belongs to."""

    numbers: NDArray[np.uint64]
    maps: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Block:
    """Some of the maps, and what the model said of their masked inputs.

    Args:
        rows: which maps.
        class_names: one name per logit.
        found: for each request, (N, S, K) logits; NaN where a map has fewer masks than others.
        asked: for each request, which masked inputs it asked for.
        forwards: how many inputs the model was run on.
        default: what stands in the place of hidden parts where a request does not say.
        more: whether maps of the same input follow in the next block, which asks for some of these masked inputs again.
    """

    rows: list[int]
    class_names: tuple[str, ...]
    found: dict[Ask, Floats]
    asked: dict[Ask, Asked]
    forwards: int
    default: str
    more: bool

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
        memory: about how many megabytes masks, masked inputs and logits may take, besides what the model takes. One map
            with all its masks is the least that is held.

    Raises:
        UsageError: there are no maps, something is no map, or a setting is out of range.
    """

    model: Any
    maps: Sequence[Saliency]
    order: Order = "scores"
    class_names: Sequence[str] | None = None
    batch_size: int = 64
    memory: float = 512

    def __post_init__(self) -> None:
        checked_maps(self.maps)
        if self.order not in ("scores", "magnitude"):
            raise UsageError(f'parts are put in order by "scores" or "magnitude", not {self.order!r}')
        checked_whole("batch_size", self.batch_size, 1)
        checked_number("memory", self.memory, 0)

    def blocks(self, asks: Sequence[Ask]) -> Iterator[Block]:
        """The answers to all requests, for some maps at a time. The whole inputs are always among them, as `WHOLE`."""
        opened = as_model(self.model, self.class_names)
        wanted = tuple(dict.fromkeys((WHOLE, *asks)))
        if not opened.class_names:  # those of a bare module are known once it has answered; memory depends on how many
            mask_inputs(opened, self.maps[:1])
        remembered: Remembered | None = None
        for part in parts_of(self.maps, wanted, max(2, len(opened.class_names)), self._room):
            if part.more and remembered is None:
                remembered = Remembered(self._room)
            yield self._run(opened, part, wanted, remembered)
            remembered = remembered if part.more else None

    @property
    def _room(self) -> float:
        return self.memory * _MEGABYTE * _PART

    def _run(self, model: Model, part: Part, asks: tuple[Ask, ...], remembered: Remembered | None) -> Block:
        maps = [self.maps[row] for row in part.rows]
        places: dict[tuple[Hashable, ...], int] = {}
        which = np.array([places.setdefault(input_key(one), len(places)) for one in maps], dtype=np.intp)
        firsts = np.unique(which, return_index=True)[1]
        salts = np.array([int.from_bytes(digest_of(key)[:8], "little") for key in places], dtype=np.uint64)
        inputs = mask_inputs(model, [maps[first] for first in firsts], batch_size=self._batch(maps[0]))
        jobs = Jobs(Ordering([importance_of(one, self.order) for one in maps]), which, salts, part.own)
        cut: dict[Ask, slice] = {}
        for ask in asks:
            begin = len(jobs)
            fill = inputs.fills[0] if ask.by is None else ask.by
            if isinstance(ask, Hide):
                jobs.hide(ask, fill)
            else:
                for row, masked in enumerate(part.masked):
                    jobs.keep(row, masked[ask], fill)
            cut[ask] = slice(begin, len(jobs))
        numbers, logits = jobs.run(inputs, remembered)
        found_of: dict[Ask, Floats] = {}
        for ask, slot in cut.items():
            if isinstance(ask, Hide):
                found_of[ask] = logits[slot].reshape(len(maps), len(ask.shares), -1)
            else:
                found_of[ask] = _ragged(logits[slot], [len(masked[ask].numbers) for masked in part.masked])
        rows = np.array(part.rows)[jobs.rows]
        asked = {ask: Asked(numbers[slot], rows[slot]) for ask, slot in cut.items()}
        return Block(part.rows, inputs.class_names, found_of, asked, inputs.forwards, inputs.fills[0], part.more)

    def _batch(self, one: Saliency) -> int:
        if not isinstance(one, PixelSaliency) or one.image is None:
            return self.batch_size
        each = one.image.nbytes * _COPIES + one.scores.size * _MASK
        return max(1, min(self.batch_size, int(self.memory * _MEGABYTE / 2 / each)))


def _ragged(logits: Floats, lengths: list[int]) -> Floats:
    found = np.full((len(lengths), max(lengths), logits.shape[1]), np.nan)
    begin = 0
    for row, length in enumerate(lengths):
        found[row, :length] = logits[begin : begin + length]
        begin += length
    return found
