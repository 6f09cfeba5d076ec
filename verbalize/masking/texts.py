"""Texts whose words are hidden: cut out of the text, or replaced by a token of the model's tokenizer."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from saywhy_core.errors import UsageError
from verbalize.masking.fills import TEXT_FILLS
from verbalize.models.text_functions import TextFunction, text_logits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verbalize.models.text_classifiers import TextClassifier
    from verbalize.saliency import Floats

_BLANKS = "".join(one for one in map(chr, range(0x3001)) if one.isspace() and one != "\n")
_MARKS = tuple(",.;:!?…)]}")
_SPECIAL = -1  # of pieces that belong to no word


class MaskedTexts:
    """Runs a text classifier on texts in which words are hidden.

    Args:
        model: the model.
        texts: N texts.
        words: for each text the (start, stop) places of its words. What lies between them always stays.

    Raises:
        UsageError: there are no texts.
    """

    def __init__(
        self, model: TextClassifier | TextFunction, texts: Sequence[str], words: Sequence[Sequence[tuple[int, int]]]
    ) -> None:
        if not texts:
            raise UsageError("give one text or more")
        self._model, self._texts, self._words = model, list(texts), [list(places) for places in words]
        self.parts = tuple(len(places) for places in self._words)
        self.class_names = tuple(model.class_names)
        tokenizer: Any = getattr(model, "tokenizer", None)
        known = {
            name for name in TEXT_FILLS[1:] if tokenizer is not None and getattr(tokenizer, f"{name}_token_id") is not None
        }
        self.fills = tuple(name for name in TEXT_FILLS if name == "removal" or name in known)
        self._pieces: dict[int, tuple[NDArray[np.int64], NDArray[np.intp]]] = {}

    def __call__(self, rows: NDArray[np.intp], kept: NDArray[np.bool_], fill: str) -> Floats:
        """(B, K) logits of the texts `rows`, in which the words `kept` (B, P) stay; P may exceed the words of a text."""
        if fill == "removal":
            texts = self._shortened(rows, kept)
            return text_logits(self._model, texts, batch_size=max(1, len(texts)))
        return self._run_ids(self._replaced(rows, kept, fill))

    def contents(self, rows: NDArray[np.intp], kept: NDArray[np.bool_], fill: str) -> list[bytes]:
        """For each masked text 16 bytes, equal where the model would read the same."""
        read: list[bytes] = []
        if fill == "removal":
            read = [b"text" + text.encode() for text in self._shortened(rows, kept)]
        else:
            for row, keep, ids in zip(rows, kept, self._replaced(rows, kept, fill), strict=True):
                whole = bool(keep[: self.parts[row]].all())  # it is the text itself, whatever the fill
                read.append(b"text" + self._texts[row].encode() if whole else b"ids" + ids.tobytes())
        return [blake2b(one, digest_size=16).digest() for one in read]

    def _shortened(self, rows: NDArray[np.intp], kept: NDArray[np.bool_]) -> list[str]:
        return [
            without(self._texts[row], self._words[row], keep[: self.parts[row]]) for row, keep in zip(rows, kept, strict=True)
        ]

    def _replaced(self, rows: NDArray[np.intp], kept: NDArray[np.bool_], fill: str) -> list[NDArray[np.int64]]:
        """The ids of the pieces of each text, with a token in the place of those of hidden words."""
        if isinstance(self._model, TextFunction):
            raise UsageError("words of a text function can only be removed")
        token = getattr(self._model.tokenizer, f"{fill}_token_id")
        found = []
        for row, keep in zip(rows, kept, strict=True):
            pieces, owners = self._encoded(int(row))
            hidden = (owners != _SPECIAL) & ~np.append(keep[: self.parts[row]], True)[owners]
            found.append(np.where(hidden, token, pieces))
        return found

    def _run_ids(self, texts: list[NDArray[np.int64]]) -> Floats:
        model: Any = self._model
        pad = model.tokenizer.pad_token_id
        ids = np.full((len(texts), max(map(len, texts))), 0 if pad is None else pad, dtype=np.int64)
        mask = np.zeros_like(ids)
        for index, pieces in enumerate(texts):
            ids[index, : len(pieces)] = pieces
            mask[index, : len(pieces)] = 1
        device = next(model.embedding.parameters()).device
        with torch.no_grad():
            found = model.logits(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
        answers: Floats = found.cpu().double().numpy()
        return answers

    def _encoded(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """The ids of the pieces of a text, and the word of each piece."""
        if row not in self._pieces:
            model: Any = self._model
            encoded = model.tokenizer(self._texts[row], return_offsets_mapping=True)
            ids = np.array(encoded["input_ids"], dtype=np.int64)
            if len(ids) > model.max_pieces:
                raise UsageError(f"a text has {len(ids)} pieces, the model reads {model.max_pieces}; split it")
            owners = np.full(len(ids), _SPECIAL, dtype=np.intp)
            for word, (start, stop) in enumerate(self._words[row]):
                for piece, (first, last) in enumerate(encoded["offset_mapping"]):
                    if first < stop and last > start:
                        owners[piece] = word
            self._pieces[row] = ids, owners
        return self._pieces[row]


def without(text: str, words: Sequence[tuple[int, int]], kept: NDArray[np.bool_]) -> str:
    """The text from which the words that are not kept are cut out.

    A blank goes only where a cut leaves it double, before a mark that the word stood against, or at an end of the text. All
    else stays as it is, blanks before marks of a tokenised text included: a model may look at white space.
    """
    if bool(kept.all()):
        return text
    rest, end, cut = "", 0, False
    for (start, stop), keep in zip(words, kept, strict=True):
        if not keep:
            rest = _joined(rest, text[end:start], cut=cut)
            end, cut = max(end, stop), True
    rest = _joined(rest, text[end:], cut=cut)
    return rest if text[end:].strip() else rest.rstrip(_BLANKS)


def _joined(before: str, after: str, *, cut: bool) -> str:
    """Both sides of a cut as one; blanks on both sides of it become those of the left side."""
    if not cut:
        return before + after
    if before and not before[-1].isspace():
        return before + after
    bare = after.lstrip(_BLANKS)
    if bare[:1] == "\n" or (bare == after and after[:1] in _MARKS):
        return before.rstrip(_BLANKS) + bare
    return before + bare
