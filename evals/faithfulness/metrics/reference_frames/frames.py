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

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.answers import area_under
from evals.faithfulness.hiding.asks import WHOLE, Hide
from evals.faithfulness.settings import checked_shares
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from evals.faithfulness.answers import Answers
    from evals.faithfulness.metric import Bounds
    from verbalize.saliency import Floats

SHARES = tuple(step / 10 for step in range(1, 10))
FAMILY = "RFxG"
SETTINGS: Mapping[str, Any] = {"alphas": SHARES}
GROUP_SETTINGS: Mapping[str, Any] = {"alphas": SHARES, "groups": None}
NO_GROUP = "its classes are in no group; give groups=, the members of each group by its name"


def asks(settings: Mapping[str, Any]) -> tuple[Hide]:
    """The inputs without their top shares.

    Raises:
        UsageError: the shares are fewer than two, or do not grow, so that there is no area over them; or the groups are no
            mapping from names to lists of classes.
    """
    _check_groups(settings.get("groups"))
    shares = checked_shares("alphas", settings["alphas"])
    if len(shares) < 2 or any(after <= before for before, after in pairwise(shares)):
        raise UsageError(f"alphas must be two growing shares or more, such as (0.1, 0.5, 0.9), not {shares!r:.80}")
    return (Hide("top", shares),)


def within(greatest: float) -> Any:
    """Bounds in probabilities of an area whose curve stays within ±`greatest`."""

    def bounds(scale: str, compares: bool, settings: Mapping[str, Any]) -> Bounds:
        del compares
        (top,) = asks(settings)
        reach = greatest * (top.shares[-1] - top.shares[0]) if scale == "probabilities" else float("inf")
        return -reach, reach

    return bounds


def curves(answers: Answers, settings: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """(N, K) what the model says of the inputs, and (N, S, K) without their top shares, in the scale asked for."""
    (top,) = asks(settings)
    find = answers.logits if answers.scale == "logits" else answers.probabilities
    return find(WHOLE)[:, 0], find(top)


def areas(answers: Answers, settings: Mapping[str, Any], score: Callable[[int, Floats, Floats], Floats | None]) -> Floats:
    """(N,) areas under `score(row, whole (K,), hidden (S, K)) -> (S,)`; NaN where it is `None`."""
    whole, hidden = curves(answers, settings)
    (top,) = asks(settings)
    found = np.full(len(whole), np.nan)
    for row in range(len(whole)):
        values = score(row, whole[row], hidden[row])
        if values is not None:
            found[row] = area_under(values[None], top.shares)[0]
    return found


def own_classes(answers: Answers, row: int) -> list[int]:
    """The columns of class A; several where the query names several."""
    query = answers.maps[row].query
    return [answers.class_names.index(name) for name in (query.members or (query.label,))]


def other_classes(answers: Answers, row: int) -> list[int]:
    """The columns of class B; several where the query names several, none where all classes are class A."""
    versus = answers.maps[row].query.versus
    rival = None if versus else answers.rival(row)
    return [answers.class_names.index(name) for name in (versus or (() if rival is None else (rival,)))]


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


def _check_groups(groups: Any) -> None:
    fits = groups is None or isinstance(groups, Mapping)
    if not fits or any(isinstance(one, str) or not isinstance(one, Iterable) for one in (groups or {}).values()):
        raise UsageError(
            'groups must give the members of each group by its name, such as {"dogs": ["beagle", "husky"]}, '
            f"not {groups!r:.80}"
        )
