"""Controls that decide whether a description's words matter: prompts of the same form that say nothing, or of others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from agents.prompting.pairs import Contrast, PairDescriptions
from agents.prompting.prompts import clip_templates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

FEWEST_WORDS = 20
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def class_names_alone(class_names: Sequence[str]) -> dict[str, list[str]]:
    """Each class's name and nothing else."""
    return {name: [name] for name in class_names}


def eighty_templates(class_names: Sequence[str]) -> dict[str, list[str]]:
    """Each class's name in CLIP's 80 templates."""
    return {name: [template.format(name) for template in clip_templates()] for name in class_names}


def random_words(
    prompts: Mapping[str, Sequence[str]], *, seed: int, template: str = "a photo of a {}."
) -> dict[str, list[str]]:
    """As many prompts of as many words, but the words drawn at random (WaffleCLIP; Roth et al. 2023, §3.3).

    A prompt keeps its class name in the template; the words beyond those are drawn from all prompts' words, class names
    left out, so that only their assignment to classes is lost. Where those are fewer than 20, letters are drawn instead.
    """
    rng = np.random.default_rng(seed)
    pool = word_pool([text for texts in prompts.values() for text in texts], list(prompts))
    return {name: [scrambled(text, name, template, pool, rng) for text in texts] for name, texts in prompts.items()}


def shuffled_classes(prompts: Mapping[str, Sequence[str]], *, seed: int) -> dict[str, list[str]]:
    """Every class gets another class's prompts, with its own name put in place of that class's."""
    names = list(prompts)
    other = derangement(len(names), seed)
    return {
        name: [renamed(text, names[other[index]], name) for text in prompts[names[other[index]]]]
        for index, name in enumerate(names)
    }


def random_word_pairs(
    pairs: PairDescriptions, class_names: Sequence[str], *, seed: int, template: str = "a photo of a {}."
) -> PairDescriptions:
    """The same pairs with as many captions of as many words, the words drawn at random as in `random_words`."""
    rng = np.random.default_rng(seed)
    pool = word_pool([text for contrasts in pairs.values() for one in contrasts for text in one.captions], class_names)
    entries: dict[tuple[int, int], list[Contrast]] = {}
    # A caption that several pairs share stays shared: it counts once in the classifier, and must do so here.
    drawn: dict[tuple[int, str], str] = {}
    for pair, contrasts in pairs.items():
        for contrast in contrasts:
            texts: list[str] = []
            for index, text in zip(pair, contrast.captions, strict=True):
                if (index, text) not in drawn:
                    drawn[index, text] = scrambled(text, class_names[index], template, pool, rng)
                texts.append(drawn[index, text])
            entries.setdefault(pair, []).append(Contrast(contrast.attribute, (texts[0], texts[1])))
    return PairDescriptions(entries)


def shuffled_class_pairs(pairs: PairDescriptions, class_names: Sequence[str], *, seed: int) -> PairDescriptions:
    """Every pair gets the captions of another pair, under a shuffle of the classes, with its own names put in."""
    source = derangement(len(class_names), seed)
    entries: dict[tuple[int, int], list[Contrast]] = {}
    for first, second in pairs:
        there = (int(source[first]), int(source[second]))
        for contrast in pairs.get(there, ()):
            captions = contrast.captions if there[0] < there[1] else contrast.captions[::-1]
            texts = (
                renamed(captions[0], class_names[there[0]], class_names[first]),
                renamed(captions[1], class_names[there[1]], class_names[second]),
            )
            entries.setdefault((first, second), []).append(Contrast(contrast.attribute, texts))
    return PairDescriptions(entries)


def word_pool(texts: Sequence[str], class_names: Sequence[str]) -> list[str]:
    """The distinct words of the texts in sorted order, without those of class names."""
    taken = {word.casefold() for name in class_names for word in words_of(name)}
    return sorted({word.casefold() for text in texts for word in words_of(text)} - taken)


def words_of(text: str) -> list[str]:
    """A text's words, without punctuation."""
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text)


def scrambled(text: str, name: str, template: str, pool: Sequence[str], rng: np.random.Generator) -> str:
    """A text with its class's name in the template, and random words for all its others."""
    frame = template.format(name)
    count = len(words_of(text)) - len(words_of(frame))
    if count <= 0:
        return frame
    if len(pool) >= FEWEST_WORDS:
        words = [str(word) for word in rng.choice(list(pool), size=count)]
    else:
        words = ["".join(rng.choice(list(LETTERS), size=int(length))) for length in rng.integers(3, 9, size=count)]
    return f"{frame.rstrip('. ')}, {' '.join(words)}."


def derangement(count: int, seed: int) -> NDArray[np.int64]:
    """A permutation that leaves nothing in its place: each goes to the next in a random circle."""
    order = np.random.default_rng(seed).permutation(count)
    other = np.empty(count, dtype=np.int64)
    other[order] = np.roll(order, 1)
    return other


def renamed(text: str, old: str, new: str) -> str:
    """A text with one class's name, in any case, replaced by another's."""
    return re.sub(re.escape(old), lambda _: new, text, flags=re.IGNORECASE)
