"""Masks in, logits out: batches, one forward pass per distinct masked input, and a count of all passes."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from verbalize.saliency import Floats


class Forward(Protocol):
    """Runs the model on masked inputs of one kind."""

    class_names: tuple[str, ...]
    fills: tuple[str, ...]
    parts: tuple[int, ...]  # of each input: how many words, or pixels (H·W)

    def __call__(self, rows: NDArray[np.intp], kept: NDArray[np.bool_], fill: str, /) -> Floats:
        """(B, K) logits of the inputs `rows` (B,), in which `kept` (B, P) stays; no row has more than P parts."""
        ...

    def contents(self, rows: NDArray[np.intp], kept: NDArray[np.bool_], fill: str, /) -> list[bytes] | None:
        """For each masked input 16 bytes that tell it from others with another content; `None` if masks tell them apart."""
        ...


class MaskedInputs:
    """Inputs of a model whose parts can be hidden: the words of texts, or the pixels of images.

    Args:
        forward: runs the model on masked inputs.
        batch_size: the most masked inputs in one call of the model.

    Attributes:
        forwards: how many inputs the model was run on so far, masked or not.
    """

    def __init__(self, forward: Forward, *, batch_size: int = 64) -> None:
        if batch_size < 1:
            raise UsageError(f"batch_size must be 1 or more, not {batch_size}")
        self.forwards = 0
        self._forward = forward
        self._batch_size = batch_size
        self._known: dict[Hashable, Floats] = {}

    def __len__(self) -> int:
        return len(self._forward.parts)

    @property
    def class_names(self) -> tuple[str, ...]:
        """One name per logit."""
        return self._forward.class_names

    @property
    def fills(self) -> tuple[str, ...]:
        """What may stand in the place of a hidden part."""
        return self._forward.fills

    @property
    def batch_size(self) -> int:
        """The most masked inputs in one call of the model."""
        return self._batch_size

    def parts(self, row: int) -> int:
        """How many words or pixels the input in this row has. The pixels of an image are counted row by row."""
        return self._forward.parts[row]

    def original(self) -> Floats:
        """(N, K) logits of the inputs as they are."""
        kept = [np.ones((1, self.parts(row)), dtype=bool) for row in range(len(self))]
        if len(set(self._forward.parts)) == 1:  # all of one size share the calls of the model
            return self.logits_of(np.arange(len(self)), np.concatenate(kept), self.fills[0])
        return np.concatenate([self.logits(row, mask, self.fills[0]) for row, mask in enumerate(kept)])

    def logits(self, row: int, kept: ArrayLike, fill: str) -> Floats:
        """(M, K) logits of one input under M masks: `kept` is (M, P) and true where a part stays."""
        masks = np.asarray(kept, dtype=bool)
        return self.logits_of(np.full(len(masks), row), masks, fill)

    def logits_of(self, rows: ArrayLike, kept: ArrayLike, fill: str) -> Floats:
        """(M, K) logits of inputs `rows` (M,), all with P parts, under the masks `kept` (M, P).

        Each distinct masked text and each distinct mask of an image is run once, also over several calls. A mask that keeps
        everything is the input itself, whatever the fill.

        Raises:
            UsageError: there is no such fill, or a mask does not fit its input.
        """
        self._check_fill(fill)
        which, masks = np.asarray(rows, dtype=np.intp), np.asarray(kept, dtype=bool)
        if masks.ndim != 2 or which.shape != masks.shape[:1]:
            raise UsageError(f"masks must be one (P,) row of truth values per input, not of shape {masks.shape}")
        if any(self.parts(int(row)) != masks.shape[1] for row in np.unique(which)):
            raise UsageError(f"a mask has {masks.shape[1]} parts, and its input has another number")
        keys = self._keys(which, masks, fill)
        new: dict[Hashable, int] = {}
        for index, key in enumerate(keys):
            if key not in self._known:
                new.setdefault(key, index)
        for chunk in _chunks(list(new.items()), self._batch_size):
            chosen = np.array([index for _, index in chunk], dtype=np.intp)
            answers = self._forward(which[chosen], masks[chosen], fill)
            self.forwards += len(chosen)
            self._known.update(zip((key for key, _ in chunk), answers, strict=True))
        found: Floats = np.array([self._known[key] for key in keys]).reshape(len(keys), len(self.class_names))
        return found

    def run(self, rows: ArrayLike, kept: ArrayLike, fill: str) -> Floats:
        """(M, K) logits of inputs under masks that the caller knows to be distinct and asks for once: nothing is kept of them.

        Args:
            rows: (M,) which inputs; of texts, they may have different numbers of words.
            kept: (M, P) which parts stay, P of the longest input. What stands beyond the parts of an input is passed over.
            fill: what stands in the place of hidden parts.

        Raises:
            UsageError: there is no such fill.
        """
        self._check_fill(fill)
        which, masks = np.asarray(rows, dtype=np.intp), np.asarray(kept, dtype=bool)
        self.forwards += len(which)
        found = [
            self._forward(which[start : start + self._batch_size], masks[start : start + self._batch_size], fill)
            for start in range(0, len(which), self._batch_size)
        ]
        return np.concatenate(found) if found else np.empty((0, len(self.class_names)))

    def contents(self, rows: ArrayLike, kept: ArrayLike, fill: str) -> list[bytes] | None:
        """For each of M masked inputs 16 bytes, equal where the model would read the same; `None` for images.

        Hiding the first word of "so so" and hiding the second leaves the same text. Of images, only masks are compared.

        Args:
            rows: (M,) which inputs.
            kept: (M, P) which parts stay, as `run` takes them.
            fill: what stands in the place of hidden parts.

        Raises:
            UsageError: there is no such fill.
        """
        self._check_fill(fill)
        return self._forward.contents(np.asarray(rows, dtype=np.intp), np.asarray(kept, dtype=bool), fill)

    def _check_fill(self, fill: str) -> None:
        if fill not in self.fills:
            raise UsageError(f"hidden parts of these inputs can be filled with {', '.join(self.fills)}, not {fill!r}")

    def _keys(self, rows: NDArray[np.intp], masks: NDArray[np.bool_], fill: str) -> Sequence[Hashable]:
        contents = self._forward.contents(rows, masks, fill)
        if contents is not None:
            return contents
        packed = np.packbits(masks, axis=1)
        whole = masks.sum(axis=1) == masks.shape[1]
        return [
            (int(row), "", b"") if all_kept else (int(row), fill, blake2b(bits.data, digest_size=16).digest())
            for row, bits, all_kept in zip(rows, packed, whole, strict=True)
        ]


def _chunks(items: list[tuple[Hashable, int]], size: int) -> Iterator[list[tuple[Hashable, int]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
