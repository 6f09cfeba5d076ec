"""Background for a contrastive explanation: general knowledge about the two classes, marked as not being from the map."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from saywhy_core.errors import UsageError
from saywhy_core.names import folded
from verbalize.write.naming import squeeze

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from agents.prompting.descriptions.pairs import PairDescriptions
    from verbalize.saliency import Query

Source: TypeAlias = "Background | PairDescriptions | Mapping[Any, Any] | str | os.PathLike[str]"
MARK = "Background, not from this map"
_LONGEST = 300  # characters of a caption
_PHOTO = re.compile(r"^(?:an? )?(?:photo|picture|image|photograph) of (?=\w)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Background:
    """Differential descriptions by class name: how two classes differ in general, independent of any map.

    Create it with `Background.of`. Verbalizers take it, or any source that `Background.of` takes, as `background`.

    Args:
        pairs: the descriptions of pairs of classes.
        numbers: the number of each class in `pairs`, by its name. Labels match names whatever their case, underscores and
            hyphens; a label that is like several names but none of them gets no background.
        limit: how many descriptions are given for each class that the label is compared with, 1 or more.
    """

    pairs: PairDescriptions
    numbers: Mapping[str, int]
    limit: int = 2

    @classmethod
    def of(
        cls,
        source: Source,
        *,
        class_names: Sequence[str] | None = None,
        limit: int = 2,
    ) -> Background:
        """Create background from pair descriptions, from the content of a pair file in FuDD's format, or from its path.

        Args:
            source: the descriptions, as `agents.read_pairs` reads them and `agents.DifferentialDescriber` makes them.
            class_names: the names of the classes in order, if the pairs do not contain them (FuDD's own files do not). Pairs
                that contain names are found by name; those of classes that the list lacks are left out, and stand in
                `pairs.problems`.
            limit: how many descriptions are given for each class that the label is compared with, 1 or more.

        Raises:
            UsageError: the file does not exist or has another format, its classes are none of `class_names` or the captions
                are about others than the numbers say, the classes have no names, or `limit` is below 1.
        """
        if isinstance(source, Background):
            return source
        from agents.prompting.descriptions.pairs import as_pairs  # imports the readers of images, which words do not need

        if limit < 1:
            raise UsageError(f"the limit of background descriptions must be 1 or more, not {limit}")
        pairs = as_pairs(source, class_names)
        names = pairs.names if class_names is None else dict(enumerate(class_names))
        if pairs and not names:
            raise UsageError("the background descriptions have class numbers but no names; give the list of class names too")
        # a name that two classes share does not tell which of them a map is about
        shared = Counter(names.values())
        return cls(pairs, {name: number for number, name in names.items() if shared[name] == 1}, limit)

    @classmethod
    def beside(cls, source: Source | None, *, mask_labels: bool) -> Background | None:
        """`of` a source that stands beside texts; None where there is none.

        Raises:
            UsageError: as `of`; or the labels are masked, and the background would name them.
        """
        if source is not None and mask_labels:
            raise UsageError("background names the labels that mask_labels hides; leave one of them out")
        return None if source is None else cls.of(source)

    def sentences(self, query: Query) -> tuple[str, ...]:
        """Sentences on how the query's label differs from each class in its `versus`, in the order of the file.

        Each sentence begins with the mark "Background, not from this map". A query without `versus` has no such sentences, nor
        have classes without descriptions. Every description becomes exactly one sentence: white space is squeezed, control
        characters are removed, and full stops inside it become semicolons.
        """
        label = self._number(query.label)
        said: dict[str, None] = {}
        for name in query.versus:
            other = self._number(name)
            if label is None or other is None or (label, other) not in self.pairs:
                continue
            ours = 0 if label < other else 1
            for contrast in self.pairs[label, other][: self.limit]:
                mine, theirs = _phrase(query.label, contrast.captions[ours]), _phrase(name, contrast.captions[1 - ours])
                about = f" ({attribute})" if (attribute := _plain(contrast.attribute)) else ""
                said[f"{MARK}{about}: {mine}; by contrast, {theirs}."] = None
        return tuple(said)

    def _number(self, name: str) -> int | None:
        if name in self.numbers:
            return self.numbers[name]
        alike = self._alike.get(folded(name), ())
        return self.numbers[alike[0]] if len(alike) == 1 else None

    @cached_property
    def _alike(self) -> dict[str, list[str]]:
        """The names that are folded alike, by their folded form."""
        found: dict[str, list[str]] = {}
        for name in self.numbers:
            found.setdefault(folded(name), []).append(name)
        return found


def _phrase(name: str, caption: str) -> str:
    """A caption as a phrase that names its class: "a photo of a bengal with round ears." gives "a bengal with round ears"."""
    phrase = _PHOTO.sub("", _plain(caption))
    return phrase if folded(name) in folded(phrase) else f"{_plain(name)}: {phrase}"


def _plain(text: str) -> str:
    """The text on one line and without full stops, so that it is part of one sentence, at most 300 characters long."""
    line = squeeze("".join(character if character.isprintable() else " " for character in text))
    line = re.sub(r"[.!?]+(?=\W*\s)", ";", line).rstrip(" .!?;,")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"
