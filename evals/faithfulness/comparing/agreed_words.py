"""What methods agree on for one input, in words, such as: Four of five methods name 'rude'; they disagree on 'still'."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.write.naming import capital, listed, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verbalize.saliency import Query

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MOST_SAID = 3  # parts that a list names before it counts the rest
_LONGEST = 60  # characters of a word; a longer one is named by its place


def words_told_apart(words: Sequence[str]) -> list[str]:
    """The words in quotes, with their place where a word occurs more than once or can't be quoted."""
    quotes = [quoted(word) if len(word) <= _LONGEST else None for word in words]
    return [
        f"word {place}" if quote is None else quote if quotes.count(quote) == 1 else f"{quote} (word {place})"
        for place, quote in enumerate(quotes, 1)
    ]


def input_words(
    methods: Sequence[str], flat: NDArray[np.bool_], parts: Sequence[str], named: NDArray[np.bool_],
    directions: NDArray[np.int8], query: Query, noun: str,
) -> str:  # fmt: skip
    """The agreement of M methods on the P parts of one input.

    Args:
        methods: M names.
        flat: (M,) which maps are flat. They name nothing, and do not count.
        parts: P parts as a sentence names them.
        named: (M, P) which method names which part.
        directions: (M, P) 1 where a map says clearly that a part speaks for the label, -1 where it says against, or 0.
        query: the question that the maps answer.
        noun: "word" or "region".
    """
    if flat.all():
        return f"No method names a {noun}: all scores of {'the map' if len(flat) == 1 else 'each map'} are equal."
    said = _named(methods, flat, parts, named, directions, query, noun)
    if flat.any():
        names = [method for method, equal in zip(methods, flat, strict=True) if equal]
        said.append(f"the map of {names[0]} is flat" if len(names) == 1 else f"the maps of {listed(names)} are flat")
    return f"{'; '.join(said)}."


def _named(
    methods: Sequence[str], flat: NDArray[np.bool_], parts: Sequence[str], named: NDArray[np.bool_],
    directions: NDArray[np.int8], query: Query, noun: str,
) -> list[str]:  # fmt: skip
    counts = named.sum(axis=0)
    total = int((~flat).sum())
    order = [int(one) for one in np.argsort(-counts, kind="stable") if counts[one]]
    opposed = np.flatnonzero((directions > 0).any(axis=0) & (directions < 0).any(axis=0)).tolist()
    if total == 1:
        names = shortly([parts[one] for one in order], noun) if order else f"no {noun}"
        return [f"{methods[int(np.flatnonzero(~flat)[0])]} names {names}"]
    if not order and not opposed:
        return [f"No method names a {noun}"]
    shared = [one for one in order if counts[one] > total / 2]
    said = [
        f"{_of(count, total)} name {shortly([parts[one] for one in shared if counts[one] == count], noun)}"
        for count in dict.fromkeys(int(counts[one]) for one in shared)
    ]
    if not shared:
        said.append(f"no {noun} is named by " + ("both methods" if total == 2 else f"most of the {number(total)} methods"))
    left = [parts[one] for one in order if one not in shared and one not in opposed]
    if left:
        said.append(f"they disagree on {shortly(left, noun)}")
    if opposed:
        does = "it speaks" if len(opposed) == 1 else "these speak"
        said.append(
            f"they contradict each other on {shortly([parts[one] for one in opposed], noun)}: "
            f"some maps say that {does} for {_label(query)}, some against"
        )
    return [capital(said[0]), *said[1:]]


def number(value: int) -> str:
    """A number as a word, up to twelve."""
    return _NUMBERS[value] if value < len(_NUMBERS) else str(value)


def shortly(names: Sequence[str], noun: str, most: int = _MOST_SAID) -> str:
    """The names as "a, b and c", or the first few and how many there are besides."""
    more = len(names) - most
    if more < 1:
        return listed(list(names))
    return listed([*names[:most], f"{number(more)} more {noun}{'' if more == 1 else 's'}"])


def _of(count: int, total: int) -> str:
    if count == total:
        return f"{'both' if total == 2 else f'all {number(total)}'} methods"
    return f"{number(count)} of {number(total)} methods"


def _label(query: Query) -> str:
    label = quoted(query.label) or "the label"
    if not query.versus:
        return label
    others = [quoted(one) for one in query.versus]
    known = [one for one in others if one is not None]
    named = len(known) == len(others) <= _MOST_SAID
    return f"{label} rather than {listed(known, 'or') if named else 'the other' + ('s' if len(others) > 1 else '')}"
