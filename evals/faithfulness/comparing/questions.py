"""The questions that maps are asked, derived from what the model predicts for each input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from saywhy_core.errors import UsageError
from verbalize.query import Query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verbalize.saliency import Floats

Kind: TypeAlias = Literal["pointwise", "contrastive", "group", "group contrastive"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def questions_of(
    kind: Kind, logits: Floats, class_names: Sequence[str], groups: Mapping[str, Sequence[str]] | None = None
) -> list[Query]:
    """One question of this kind for each input: the reference frames and granularities of RFxG (Elisha et al. 2025).

    "pointwise": why the predicted class? "contrastive": why it rather than the runner-up? "group": why the group that the
    predicted class is in? "group contrastive": why that group rather than the most likely class outside it?

    Args:
        kind: the kind of question.
        logits: (N, K) what the model says of the inputs.
        class_names: K names.
        groups: the members of each group by its name, for questions about groups.

    Raises:
        UsageError: the kind is unknown, needs groups, or a group holds a class that the model has not, or all classes.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no kind of question {kind!r}; use one of {', '.join(KINDS)}")
    order = np.argsort(-logits, axis=1, kind="stable")
    if kind == "pointwise":
        return [Query(class_names[row[0]]) for row in order]
    if kind == "contrastive":
        return [Query(class_names[row[0]], (class_names[row[1]],)) for row in order]
    if not groups:
        raise UsageError(f"a {kind} question needs groups: the members of each group by its name")
    unknown = sorted({one for members in groups.values() for one in members} - set(class_names))
    if unknown:
        raise UsageError(f"the groups hold {unknown[0]!r}, which is no class of the model")
    group_of = {member: name for name, members in groups.items() for member in members}
    queries = []
    for row in order:
        predicted = class_names[row[0]]
        name = group_of.get(predicted)
        members = tuple(groups[name]) if name is not None else (predicted,)
        versus: tuple[str, ...] = ()
        if kind == "group contrastive":
            outside = [class_names[index] for index in row if class_names[index] not in members]
            if not outside:
                raise UsageError(f"the group {name!r} holds all classes, so that there is nothing to compare it with")
            versus = (outside[0],)
        queries.append(Query(predicted, versus) if name is None else Query(name, versus, members))
    return queries
