"""Class-name-free descriptions: texts in which nothing but the description can tell the classes apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agents.prompting.descriptions.pairs import Contrast, PairDescriptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NEUTRAL = "object"
"""Stands in the place of class names: every class is one, so that it favours none."""


class NameRemover:
    """Puts a neutral noun in the place of every class name in a text.

    A class name counts as a whole word or words, whatever the case, whether spaces, hyphens or underscores join its words, and
    with the endings s, es and 's; of overlapping names the longest counts. An article before it is fitted to the noun. All
    class names go, not only that of the text's own class: "rounder than a beagle's" names a class, too. Names in other forms
    ("the Mau" for "Egyptian Mau") stay.

    Args:
        class_names: the K classes.
        neutral: the noun.
    """

    def __init__(self, class_names: Sequence[str], neutral: str = NEUTRAL) -> None:
        self._neutral = neutral
        words = {tuple(re.findall(r"[^\s_\-]+", name)) for name in class_names} - {()}
        forms = sorted((r"[\s_\-]+".join(map(re.escape, one)) for one in words), key=lambda form: (-len(form), form))
        either = "|".join(forms)
        self._pattern = re.compile(rf"(?<!\w)(?:(an?)(\s+))?(?:{either})(['’]s|e?s)?(?!\w)", re.IGNORECASE) if either else None

    def __call__(self, text: str) -> str:
        """The text without class names."""
        return text if self._pattern is None else self._pattern.sub(self._stand_in, text)

    def _stand_in(self, match: re.Match[str]) -> str:
        article, space, ending = match[1], match[2], match[3] or ""
        noun = self._neutral + ("s" if ending.casefold() in ("s", "es") else ending)
        if article is None:
            return noun
        fitting = "an" if self._neutral[:1].casefold() in "aeiou" else "a"
        return f"{fitting.capitalize() if article[0] == 'A' else fitting}{space}{noun}"


def without_class_names(prompts: Mapping[str, Sequence[str]], *, neutral: str = NEUTRAL) -> dict[str, list[str]]:
    """The prompts of each class with a neutral noun in the place of every class name (after Ma et al. 2025).

    Ma et al. keep one prompt with the class name beside descriptions without it, and ask whether these add to it. Here no text
    names a class: "a photo of a Bengal, spotted coat." becomes "a photo of an object, spotted coat." What such prompts get
    right is owed to the descriptions alone, as far as `NameRemover` finds the names.

    Args:
        prompts: each class's prompts, by class name.
        neutral: the noun, such as a word for what all classes are.
    """
    remove = NameRemover(list(prompts), neutral)
    return {name: [remove(text) for text in texts] for name, texts in prompts.items()}


def pairs_without_class_names(
    pairs: PairDescriptions,
    class_names: Sequence[str],
    *,
    needed: Iterable[tuple[int, int]] = (),
    template: str = "a photo of a {}.",
    neutral: str = NEUTRAL,
) -> PairDescriptions:
    """The same pairs, with a neutral noun in the place of every class name in the captions, as `without_class_names`.

    Args:
        pairs: the pairs.
        class_names: the K classes.
        needed: pairs of class numbers. Those without captions get the template with the neutral noun for both classes, since
            the template that stands in otherwise would name them.
        template: that template.
        neutral: the noun.
    """
    remove = NameRemover(class_names, neutral)
    entries: dict[tuple[int, int], list[Contrast]] = {
        pair: [Contrast(one.attribute, (remove(one.captions[0]), remove(one.captions[1]))) for one in contrasts]
        for pair, contrasts in pairs.items()
        if contrasts
    }
    alike = NameRemover([neutral], neutral)(template.format(neutral))  # its article fits the noun
    for pair in needed:
        if (min(pair), max(pair)) not in entries:
            entries[min(pair), max(pair)] = [Contrast("", (alike, alike))]
    return PairDescriptions(entries, dict(enumerate(class_names)))
