"""General knowledge of two classes beside a contrastive explanation: marked as such, and apart from the evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from saywhy_core.errors import UsageError
from verbalize.write.naming import squeeze

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from agents.prompting.pairs import PairDescriptions
    from verbalize.saliency import Query

Source: TypeAlias = "Background | PairDescriptions | Mapping[Any, Any] | str | os.PathLike[str]"
MARK = "Background, not from this map"
_LONGEST = 300  # characters of a caption
_PHOTO = re.compile(r"^(?:an? )?(?:photo|picture|image|photograph) of (?=\w)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Background:
    """Differential descriptions by class name: what tells a class from another, whatever a map says.

    Make one with `Background.of`; verbalizers take it, or what it is made of, as `background`.
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
        """Background out of pair descriptions, the content of a pair file in FuDD's format, or its path.

        Args:
            source: the descriptions, as `agents.read_pairs` reads and `agents.DifferentialDescriber` makes them.
            class_names: the names of the classes in their order, where the pairs do not carry them (FuDD's own files don't).
            limit: how many descriptions are given for each class that the label is set against, 1 or more.

        Raises:
            UsageError: no such file, not of that format, of other classes than `class_names`, or without names.
        """
        if isinstance(source, Background):
            return source
        from agents.prompting.pairs import as_pairs  # reads images, too, which words never need

        if limit < 1:
            raise UsageError(f"the limit of background descriptions must be 1 or more, not {limit}")
        pairs = as_pairs(source)
        if class_names is not None:
            pairs.check_names(class_names)
        names = pairs.names if class_names is None else dict(enumerate(class_names))
        if pairs and not names:
            raise UsageError("the background descriptions tell classes by number alone; give the list of class names too")
        return cls(pairs, {_folded(name): number for number, name in names.items()}, limit)

    def sentences(self, query: Query) -> tuple[str, ...]:
        """What tells the query's label from each class it is set against, a marked sentence each, in the order of the file.

        None for a query without such classes, and for classes that the descriptions do not hold. Each is one sentence whatever
        a description holds: white space is squeezed, control characters and inner full stops are taken out.
        """
        label = self.numbers.get(_folded(query.label))
        said: dict[str, None] = {}
        for name in query.versus:
            other = self.numbers.get(_folded(name))
            if label is None or other is None or (label, other) not in self.pairs:
                continue
            ours = 0 if label < other else 1
            for contrast in self.pairs[label, other][: self.limit]:
                mine, theirs = _phrase(query.label, contrast.captions[ours]), _phrase(name, contrast.captions[1 - ours])
                about = f" ({attribute})" if (attribute := _plain(contrast.attribute)) else ""
                said[f"{MARK}{about}: {mine}; by contrast, {theirs}."] = None
        return tuple(said)


def _phrase(name: str, caption: str) -> str:
    """A caption as a phrase that names its class: "a photo of a bengal with round ears." as "a bengal with round ears"."""
    phrase = _PHOTO.sub("", _plain(caption))
    return phrase if _folded(name) in _folded(phrase) else f"{_plain(name)}: {phrase}"


def _plain(text: str) -> str:
    """The text on one line, as part of one sentence, at most 300 characters long."""
    line = squeeze("".join(character if character.isprintable() else " " for character in text))
    line = re.sub(r"[.!?]+(?=\W*\s)", ";", line).rstrip(" .!?;,")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def _folded(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()
