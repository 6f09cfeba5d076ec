"""What a kind of simulated participant is, and the registry of all kinds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from evals.study.folder import Study
    from evals.study.steps import Step


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page in front of a simulated participant.

    Attributes:
        shown: the page as the server sent it, and as a browser would show it.
        step: the same page with its item, conditions and right answers. Only participants who know everything look at it.
        study: the study.
        seed: the participant's seed on the server, which the order of options depends on.
        random: the participant's own source of chance.
        code: the participant's code.
        before: what this participant was told so far: instructions, and feedback on practice.
    """

    shown: Mapping[str, Any]
    step: Step
    study: Study
    seed: int
    random: Random
    code: str
    before: Sequence[str] = ()


@dataclass(frozen=True)
class Reply:
    """What a simulated participant answers: question name -> response, and the seconds that it says it took.

    `trouble` says why there is no answer: the participant leaves the study there.
    """

    responses: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 10.0
    trouble: str = ""


@dataclass(frozen=True)
class SimulatedKind:
    """A kind of simulated participant.

    Args:
        summary: one line about the kind.
        answer: `answer(pages)` gives one `Reply` per page. The pages are those of several participants at the same time, so
            that a language model is asked in batches.
    """

    summary: str
    answer: Callable[[Sequence[Page]], Sequence[Reply]]


PARTICIPANTS: Registry[SimulatedKind] = Registry(
    "simulated participant",
    "saywhy.study_participants",
    {
        "perfect": "evals.study.simulated.scripted:PERFECT",
        "random": "evals.study.simulated.scripted:RANDOM",
        "position": "evals.study.simulated.scripted:POSITION",
        "speeding": "evals.study.simulated.scripted:SPEEDING",
        "top-word": "evals.study.simulated.scripted:TOP_WORD",
    },
    expects=SimulatedKind,
)
