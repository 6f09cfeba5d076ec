"""What somebody answers who looks at nothing but the most important word.

A study in which this shortcut does as well as people measures whether people know words, not whether explanations help them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evals.study.items import Item

_WORDS = re.compile(r"\w+")


def shortcut_labels(items: Iterable[Item]) -> dict[tuple[str, str], str]:
    """(item, condition) -> the label that the most important word alone suggests.

    That is the label that the model chose most often for the other items whose input holds the word. Pairs are absent where the
    stimulus shows no most important word, no other item holds it, or two labels are equally frequent.

    Args:
        items: the items of a study, those for practice included.
    """
    known = list(items)
    holding: dict[str, Counter[str]] = {}
    words = {item.id: set(words_of(item.input.text)) for item in known}
    for item in known:
        for word in words[item.id]:
            holding.setdefault(word, Counter())[item.predicted] += 1
    suggested: dict[tuple[str, str], str] = {}
    for item in known:
        for condition, stimulus in item.stimuli.items():
            votes: Counter[str] = Counter()
            for word in set(words_of(stimulus.top)):
                votes.update(holding.get(word, {}))
                if word in words[item.id]:
                    votes[item.predicted] -= 1  # the item itself has no vote
            first = votes.most_common(2)
            if first and first[0][1] > 0 and (len(first) == 1 or first[0][1] > first[1][1]):
                suggested[item.id, condition] = first[0][0]
    return suggested


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without signs."""
    return _WORDS.findall(text.casefold())
