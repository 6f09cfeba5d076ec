"""What a kind of condition is, and the registry of all kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evals.study.items import Stimulus
    from evals.study.stimuli.making import Making


@dataclass(frozen=True)
class ConditionKind:
    """A kind of condition: how an explanation is shown.

    Args:
        summary: one line about the kind.
        show: `show(making, options)` makes what participants see of each map: one `Stimulus` per map of `making.maps`, or None
            with a problem noted where one can't be shown. All maps come at once, since some controls need the others, and
            language models are asked in batches.
        options: the keys that the condition's options may hold, with what each is, in words.
        control: whether it is a control: it holds nothing of the map's evidence.
    """

    summary: str
    show: Callable[[Making, Mapping[str, object]], Sequence[Stimulus | None]]
    options: Mapping[str, str]
    control: bool = False


KINDS: Registry[ConditionKind] = Registry(
    "kind of study condition",
    "saywhy.study_conditions",
    {
        "heatmap": "evals.study.stimuli.heatmap:HEATMAP",
        "none": "evals.study.stimuli.controls:NONE",
    },
    expects=ConditionKind,
)
