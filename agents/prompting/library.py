"""The texts that a search may choose from: descriptions, synonyms of class names, and their embeddings."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import numpy as np

from agents.encoders.vectors import unit_rows
from agents.prompting.descriptions.captions import caption
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder

NEAR_DUPLICATE = 0.98
"""Cosine from which a description counts as said already: the value of the released program (`delete_max_similar_score`)."""


class EncodedTexts:
    """Embeddings of length 1, each text encoded once; a text without a usable embedding is an error, never a score of 0.

    Attributes:
        seconds: time spent in the encoder.
    """

    def __init__(self, encoder: ImageTextEncoder) -> None:
        self._encoder = encoder
        self._rows: dict[str, NDArray[np.float32]] = {}
        self.seconds = 0.0

    def rows(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """N×D embeddings.

        Raises:
            UsageError: the encoder gives a text no embedding: numbers that are not finite, or zeros only.
        """
        fresh = [text for text in dict.fromkeys(texts) if text not in self._rows]
        if fresh:
            started = time.perf_counter()
            given = np.asarray(self._encoder.encode_texts(fresh))
            self.seconds += time.perf_counter() - started
            usable = np.isfinite(given).all(axis=1) & (given != 0).any(axis=1)
            if len(given) != len(fresh) or not usable.all():
                bad = fresh[int(np.flatnonzero(~usable)[0])] if len(given) == len(fresh) else fresh[-1]
                raise UsageError(
                    f"the encoder gives no usable embedding for {bad!r:.80}; nothing was scored with it. "
                    "Mend the encoder or leave that text out; the same search goes on where it stood"
                )
            self._rows.update(zip(fresh, unit_rows(given), strict=True))
        return np.stack([self._rows[text] for text in texts])


def checked_synonyms(names: Sequence[str], synonyms: Mapping[str, Sequence[str]] | None) -> list[list[str]]:
    """The other names of each class, without its own name.

    Raises:
        UsageError: a class that is not in the list, one text in place of a list, or a synonym that also names another class.
    """
    given = dict(synonyms or {})
    if unknown := sorted(set(given) - set(names)):
        raise UsageError(f"the synonyms speak of {unknown[0]!r}, which is none of the class names")
    if bad := [name for name, texts in given.items() if isinstance(texts, str)]:
        raise UsageError(f"the synonyms of {bad[0]!r} are one text; give a list of texts")
    owner = {name.casefold(): name for name in names}
    found = []
    for name in names:
        own = list(dict.fromkeys(text.strip() for text in given.get(name, ()) if text.strip()))
        for text in own:
            if owner.setdefault(text.casefold(), name) != name:
                raise UsageError(
                    f"{text!r} is a synonym of {name!r}, but it also names {owner[text.casefold()]!r}; "
                    "leave it out of one of them"
                )
        found.append([text for text in own if text.casefold() != name.casefold()])
    return found


def candidate_texts(name: str, descriptions: Sequence[str], synonyms: Sequence[str], template: str) -> list[str]:
    """The captions of a class: its descriptions, then the template and the descriptions with each synonym (ProAPO).

    A description that names its class gets the synonym in the place of the name; a fragment is put behind the template.
    """
    found = [caption(text, name, template) for text in descriptions]
    own = re.compile(re.escape(name), re.IGNORECASE)
    for synonym in synonyms:
        found.append(template.format(synonym))
        for text in descriptions:
            other = own.sub(synonym.replace("\\", r"\\"), text)
            found.append(other if other != text else caption(text, synonym, template))
    return list(dict.fromkeys(found))


def without_near_duplicates(
    texts: Sequence[str], rows: NDArray[np.float32], *, first: int = 0, cosine: float = NEAR_DUPLICATE
) -> list[str]:
    """The texts that are not almost equal to an earlier one by their embeddings; the `first` ones always stay."""
    close = np.triu(rows @ rows.T >= cosine, 1)
    kept = np.ones(len(texts), dtype=bool)
    for index in range(first, len(texts)):
        kept[index] = not (close[:index, index] & kept[:index]).any()
    return [text for text, keep in zip(texts, kept, strict=True) if keep]
