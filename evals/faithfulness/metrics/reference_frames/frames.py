"""What the four metrics of RFxG share: shares of hidden pixels, the classes and groups that they look at, and areas.

RFxG (Elisha, Cohen, Barkan and Koenigstein 2025, "Rethinking Saliency Maps") hides the top 10 to 90 % of the pixels in steps of
10 %, and takes the area under a curve by the trapezoidal rule, over a range of 0.8. A map's class A is the label of its query,
and class B its `versus` or, without one, the class that the model finds most likely next to A. Group A is the members of the
query or the group in `groups` that holds class A; group B likewise for class B. Without a group, a metric about groups is not
defined.

Departures from the authors' code: the number of hidden pixels is rounded, where the code cuts it off; of pixels with equal
scores the first are hidden first, where the code hides the last; scores are given in logits as well as in probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.answers import area_under
from evals.faithfulness.hiding.asks import WHOLE, Hide
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats

SHARES = tuple(step / 10 for step in range(1, 10))
SETTINGS: Mapping[str, Any] = {"alphas": SHARES}
GROUP_SETTINGS: Mapping[str, Any] = {"alphas": SHARES, "groups": None}
NO_GROUP = "its classes are in no group; give groups=, the members of each group by its name"


def asks(settings: Mapping[str, Any]) -> tuple[Hide]:
    """The inputs without their top shares."""
    return (Hide("top", tuple(settings["alphas"])),)


def curves(answers: Answers, settings: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """(N, K) what the model says of the inputs, and (N, S, K) without their top shares, in the scale asked for."""
    (top,) = asks(settings)
    find = answers.logits if answers.scale == "logits" else answers.probabilities
    return find(WHOLE)[:, 0], find(top)


def areas(answers: Answers, settings: Mapping[str, Any], score: Callable[[int, Floats, Floats], Floats | None]) -> Floats:
    """(N,) areas under `score(row, whole (K,), hidden (S, K)) -> (S,)`; NaN where it is `None`."""
    whole, hidden = curves(answers, settings)
    found = np.full(len(whole), np.nan)
    for row in range(len(whole)):
        values = score(row, whole[row], hidden[row])
        if values is not None:
            found[row] = area_under(values[None], settings["alphas"])[0]
    return found


def classes(answers: Answers, row: int) -> tuple[list[int], list[int]]:
    """The columns of class A and of class B; several where the query names several."""
    names = list(answers.class_names)
    query = answers.maps[row].query
    first = [names.index(name) for name in (query.members or (query.label,))]
    if query.versus:
        return first, [names.index(name) for name in query.versus]
    logits = answers.logits(WHOLE)[row, 0].copy()
    logits[first] = -np.inf
    return first, [int(logits.argmax())]


def group_of(answers: Answers, settings: Mapping[str, Any], columns: Sequence[int]) -> list[int] | None:
    """The columns of the group that holds these classes: several classes are one themselves; `None` without a group.

    Raises:
        UsageError: a group holds a class that the model has not.
    """
    if len(columns) > 1:
        return list(columns)
    names = list(answers.class_names)
    for members in (settings["groups"] or {}).values():
        unknown = [name for name in members if name not in names]
        if unknown:
            raise UsageError(f"the groups hold {unknown[0]!r}, which is no class of the model")
        if names[columns[0]] in members:
            return [names.index(name) for name in members]
    return None
