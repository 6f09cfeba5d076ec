"""Controls: what a study shows where it shows no explanation, or a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.study.items import Stimulus
from evals.study.stimuli.kind import ConditionKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.study.stimuli.making import Making


def _nothing(making: Making, options: Mapping[str, object]) -> list[Stimulus | None]:  # noqa: ARG001 - it has none
    return [Stimulus("", "") for _ in making.maps]


NONE = ConditionKind(summary="the input without any explanation", show=_nothing, options={}, control=True)
