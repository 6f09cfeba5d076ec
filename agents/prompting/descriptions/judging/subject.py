"""Is a caption about its own class, by what it names?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.prompting.descriptions.reading.mentions import Mentions


def wrong_class(names: Mentions, caption: str, own: int, other: int) -> int | None:
    """The class that a caption is about in the place of its own; None where it is about its own, or about none by name.

    A caption without its own name is put behind it, so that "longer ears than a beagle" says something of its own class. A
    caption with both names must begin with its own. "An orange basketball" is about a basketball. "A bulldog" may stand for an
    American bulldog, unless this is told apart from a bulldog.

    Args:
        names: finds the names of all classes.
        caption: the text.
        own: the number of the caption's class.
        other: the number of the class that it is told apart from.
    """
    found = names.in_text(caption)
    if not found or own in found[0].numbers:
        return None
    first = found[0]
    number = other if other in first.numbers else first.numbers[0]
    mine = next((one for one in found if own in one.numbers), None)
    if mine is not None and mine.leads:  # "photo: a dog", where "photo" is a class
        return None
    about = first.leads and not first.compared and (first.itself or (first.framed and mine is None))
    if about:
        return None if number != other and names.holds(own, number) else number
    if mine is not None and other in first.numbers:
        return None if mine.start - first.end <= 1 and first.leads else number
    return None
