"""What the kinds of conditions make their stimuli from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from saywhy_core.errors import Problem
from verbalize.query import Query
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from agents.chat import Foreseen
    from evals.study.stimuli.leaks import Names
    from verbalize.saliency import Saliency

HIDDEN = "the label that the model chose"
"""What stands for the label where labels are masked."""


@dataclass(frozen=True)
class Making:
    """The maps of all items, and where pictures go.

    Attributes:
        maps: the maps. Each explains the label that the model chose.
        seed: of everything random.
        mask_labels: whether no text may name a label.
        add_picture: `add_picture(png)` keeps a PNG under the name of its SHA-256 in the study's `images/`, and returns
            "images/NAME.png".
        folder: the folder that files named in options are relative to.
        chat: the chat model of "narrate", or None.
        foreseen: where it is a list, a language model is not asked: what that would take is added here, and "narrate" shows
            the template's texts.
        others: further maps of the same inputs, which explain other labels, by the id of the map in `maps`.
        names: the names of labels that no explanation may hold, or None where labels are shown.
        replace_leaks: whether names of labels in texts of a file are replaced by "the label"; else such a text is a problem.
        condition: the name of the condition that is being made.
        problems: what could not be shown.
        counts: (condition, what the researcher should know of its stimuli) -> the ids of the maps for which it holds.
    """

    maps: tuple[Saliency, ...]
    seed: int
    mask_labels: bool
    add_picture: Callable[[bytes], str]
    folder: Path
    chat: Any = None
    foreseen: list[Foreseen] | None = None
    others: Mapping[str, Sequence[Saliency]] = field(default_factory=dict)
    names: Names | None = None
    replace_leaks: bool = False
    condition: str = ""
    problems: list[Problem] = field(default_factory=list)
    counts: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def of(self, maps: Sequence[Saliency]) -> Making:
        """The same for other maps; problems and counts are gathered in the same place."""
        return replace(self, maps=tuple(maps))

    def problem(self, saliency: Saliency, what: str) -> None:
        """Note that a map can't be shown."""
        self.problems.append(
            Problem(f"condition {self.condition}" if self.condition else "the study", what, id=saliency.saliency_id)
        )

    def count(self, saliency: Saliency, what: str) -> None:
        """Note one more stimulus of which something holds that the researcher should know, such as "false of their maps"."""
        self.counts.setdefault((self.condition, what), []).append(saliency.saliency_id)

    def seed_for(self, saliency: Saliency) -> int:
        """A seed for a map: the same whichever other maps there are, and in whichever form its random counterpart is shown."""
        digest = hashlib.sha256(f"{self.seed}\0{saliency.saliency_id}".encode()).digest()
        return int.from_bytes(digest[:8], "big")

    def for_words(self, saliency: Saliency) -> Saliency:
        """The map that is put into words: where labels are masked, one that does not know the names of its labels.

        What does not know a name can't tell it, not even by how it quotes a word of the input that is one.
        """
        if not self.mask_labels:
            return saliency
        several = len(saliency.query.versus) > 1
        query = Query(
            "the label", tuple(f"the other label{f' {n}' if several else ''}" for n, _ in enumerate(saliency.query.versus, 1))
        )
        if isinstance(saliency, TokenSaliency):
            return TokenSaliency(
                saliency.tokens, saliency.scores, query, saliency.text, saliency.offsets, None, saliency.special,
                saliency.saliency_id, saliency.method, saliency.signed,
            )  # fmt: skip
        return replace(saliency, query=query, prediction=None, id=saliency.saliency_id)

    def label_of(self, saliency: Saliency) -> str:
        """How sentences of a study name the label that a map explains."""
        if self.mask_labels:
            return HIDDEN
        query = saliency.query
        rather = f" rather than {' or '.join(f'“{one}”' for one in query.versus)}" if query.versus else ""
        return f"“{query.label}”{rather}"
