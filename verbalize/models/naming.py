"""The names of the classes of a model: each is said in sentences and asked about in queries, so each must mean one class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from saywhy_core.classifiers.classifier import WidthError
from saywhy_core.errors import UsageError
from saywhy_core.names import check_class_names

if TYPE_CHECKING:
    from collections.abc import Sequence


def checked_classes(names: Sequence[object], what: str) -> tuple[str, ...]:
    """The names of the classes of a model, in the order of its scores; spaces around a name are removed.

    A list of 500 names or more may hold a name twice, as that of ImageNet does. Its later classes of that name get their number
    behind it: "crane" and "crane (517)".

    Args:
        names: the names; none where they are not known yet.
        what: the model that has them, for the error, such as "the text classifier".

    Raises:
        UsageError: there is a single name, one is no text or empty, or a shorter list holds a name twice.
    """
    if not names:
        return ()
    if isinstance(names, str):
        raise UsageError(f"class_names of {what} must be a list of names, not the text {names!r:.80}")
    found = check_class_names(names, f"class_names of {what}")
    if len(found) < 2:
        raise UsageError(f"{what} has one class, {found[0]!r:.80}; there is nothing to explain without a second one")
    first = {name: index for index, name in reversed(list(enumerate(found)))}
    return tuple(name if first[name] == index else f"{name} ({index})" for index, name in enumerate(found))


def check_width(scores: int, names: Sequence[str], what: str) -> None:
    """Check that a model answers with one score per class name. Where there are no names yet, every number is right.

    Raises:
        WidthError: it does not, so that it can explain no input.
    """
    if names and scores != len(names):
        raise WidthError(
            f"{what} answers with {scores} score{'' if scores == 1 else 's'} per input, and {len(names)} class names are "
            "given; give one name for each score, in their order"
        )
