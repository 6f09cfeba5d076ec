"""All forms of statement with their wordings. The first wording of a form is the plainest, and stands in for the others."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from verbalize.phrasing.amounts import AMOUNTS
from verbalize.phrasing.predictions import PREDICTIONS
from verbalize.phrasing.ranks import RANKS
from verbalize.phrasing.signs import SIGNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.phrasing.wording import Wording

FORMS: Mapping[str, tuple[Wording, ...]] = MappingProxyType({**SIGNS, **RANKS, **AMOUNTS, **PREDICTIONS})
