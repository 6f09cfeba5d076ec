"""Words between sentences. Each kind is used only where it is true of the two sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from verbalize.phrasing.wording import wordings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.phrasing.wording import Wording

Connective: TypeAlias = Literal["none", "addition", "contrast", "summary"]
CONNECTIVE_NAMES: tuple[str, ...] = get_args(Connective)

CONNECTIVES: Mapping[str, tuple[Wording, ...]] = {
    "addition": wordings("in addition, ", "besides, ", grown=("moreover, ", "furthermore, ")),
    "contrast": wordings("by contrast, ", "on the other hand, ", "however, ", "in contrast, "),
    "summary": wordings("all in all, ", "in short, ", "overall, ", "on the whole, "),
}
