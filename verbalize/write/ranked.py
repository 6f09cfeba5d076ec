"""The style "ranked": single words in the order of their importance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.write.plain import say_both_sides
from verbalize.write.style import Limits, Style

if TYPE_CHECKING:
    from verbalize.write.draft import Draft


def _say(draft: Draft, limits: Limits) -> None:
    say_both_sides(draft, limits, ranked=True)


RANKED = Style("single words in the order of their importance", _say)
