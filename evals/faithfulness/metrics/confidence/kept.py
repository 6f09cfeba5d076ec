"""The inputs of which only the most important parts are left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.faithfulness.hiding.asks import Hide
from evals.faithfulness.settings import checked_number

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARE = 0.5  # of the parts: it is also a step of the curves and a bin of sufficiency, so that it costs no more forwards


def kept_share(settings: Mapping[str, Any]) -> tuple[Hide]:
    """The request for inputs of which the top `share` stays.

    Raises:
        UsageError: the share is not between 0 and 1.
    """
    share = checked_number("share, the share of the parts that stays,", settings["share"], 0, 1)
    return (Hide("bottom", (1 - share,)),)
