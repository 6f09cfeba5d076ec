"""A style: the sentences that say what is true of a map. `STYLES` lists all styles, and plug-ins can add to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from verbalize.write.draft import Draft

LENGTHS: tuple[str, ...] = ("clause", "short", "paragraph")


@dataclass(frozen=True)
class Limits:
    """How much a text may name.

    Args:
        max_words: the most words of the input that the text names.
        max_spans: the most spans, or regions of a picture, that the text names.
        length: one of `LENGTHS`.
    """

    max_words: int
    max_spans: int
    length: str


@dataclass(frozen=True)
class Style:
    """A way to say what is true of a map.

    Args:
        summary: one line about the style, for help texts.
        say: adds sentences to the draft, each with the claims that it makes: `draft.say(clause, *claims)`. Every claim must be
            true of `draft.evidence`, and every sentence must read back into its claims. `say` is not called for a map in which
            nothing stands out: `TemplateVerbalizer` says so itself.
        lengths: the lengths that the style supports.
    """

    summary: str
    say: Callable[[Draft, Limits], None]
    lengths: tuple[str, ...] = LENGTHS


STYLES: Registry[Style] = Registry(
    "style",
    "saywhy.styles",
    {
        "plain": "verbalize.write.plain:PLAIN",
        "ranked": "verbalize.write.ranked:RANKED",
        "smv": "verbalize.write.smv:SMV",
    },
    expects=Style,
)
