"""What a kind of condition is, and the registry of all kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from saywhy_core.errors import UsageError
from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evals.study.items import Stimulus
    from evals.study.stimuli.making import Making

    Show: TypeAlias = Callable[[Making, Mapping[str, object]], Sequence[Stimulus | None]]


@dataclass(frozen=True)
class ConditionKind:
    """A kind of condition: how an explanation is shown.

    Args:
        summary: one line about the kind.
        show: `show(making, options)` makes what participants see of each map, input and explanation: one `Stimulus` per map of
            `making.maps`, or None with a problem noted where one can't be shown. All maps come at once, since some controls
            need the others, and language models are asked in batches.
        options: the keys that the condition's options may hold, with what each is, in words.
        control: whether it is a control: it holds nothing of the map's evidence.
        explain: as `show`, but the explanation alone, without the input, for kinds whose explanation stands below the input.
            Such a kind can be combined with a heatmap.
        own_words: the words that its own sentences are made of, in lower case. They are no leak where a label has the same
            name ("the most important word", where a label is called "important").
    """

    summary: str
    show: Show
    options: Mapping[str, str]
    control: bool = False
    explain: Show | None = None
    own_words: frozenset[str] = frozenset()


KINDS: Registry[ConditionKind] = Registry(
    "kind of study condition",
    "saywhy.study_conditions",
    {
        "heatmap": "evals.study.stimuli.heatmap:HEATMAP",
        "rationale": "evals.study.stimuli.rationale:RATIONALE",
        "ranked": "evals.study.stimuli.ranked:RANKED",
        "text": "evals.study.stimuli.sentences:TEXT",
        "narrate": "evals.study.stimuli.sentences:NARRATE",
        "file": "evals.study.stimuli.file:FILE",
        "combined": "evals.study.stimuli.combined:COMBINED",
        "none": "evals.study.stimuli.controls:NONE",
        "random": "evals.study.stimuli.controls:RANDOM",
        "other": "evals.study.stimuli.controls:OTHER",
    },
    expects=ConditionKind,
)


def checked(kind: ConditionKind, name: str, options: Mapping[str, object]) -> Mapping[str, object]:
    """The options of a condition named `name`.

    Raises:
        UsageError: the kind has no option of one of the names.
    """
    for one in options:
        if one not in kind.options:
            known = f"; it has {', '.join(kind.options)}" if kind.options else "; it has none"
            raise UsageError(f"the condition {name!r} has an option {one!r}, which its kind does not know{known}")
    return options


def whole(options: Mapping[str, object], name: str, default: int, least: int = 1) -> int:
    """A whole number.

    Raises:
        UsageError: it is none, or below `least`.
    """
    value = options.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(f"the option {name!r} of a condition is a whole number from {least} up, not {value!r:.80}")
    return value


def number(options: Mapping[str, object], name: str, default: float) -> float:
    """A number above 0 and at most 1.

    Raises:
        UsageError: it is none.
    """
    value = options.get(name, default)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 1:
        raise UsageError(f"the option {name!r} of a condition is a number above 0 and at most 1, not {value!r:.80}")
    return float(value)


def word(options: Mapping[str, object], name: str, default: str, among: Sequence[str] = ()) -> str:
    """A text, or one of some.

    Raises:
        UsageError: it is none.
    """
    value = options.get(name, default)
    if not isinstance(value, str) or (among and value not in among):
        wanted = f"one of {', '.join(among)}" if among else "a text"
        raise UsageError(f"the option {name!r} of a condition is {wanted}, not {value!r:.80}")
    return value


def flag(options: Mapping[str, object], name: str) -> bool:
    """True or false; false where it is not given.

    Raises:
        UsageError: it is neither.
    """
    value = options.get(name, False)
    if not isinstance(value, bool):
        raise UsageError(f"the option {name!r} of a condition is true or false, not {value!r:.80}")
    return value
