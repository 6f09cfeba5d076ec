"""Controls that show whether the words of descriptions matter: prompts of the same form with random or exchanged words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from agents.prompting.descriptions.captions import clip_templates
from agents.prompting.descriptions.pairs import Contrast, PairDescriptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

SHOWS = {
    "class name alone": "what the encoder knows by the class names, without any sentence around them",
    "80 templates": "what sentences do that say nothing of the classes but their names",
    "random words": "what as many texts of the same length do, whatever they say; better prompts owe it to their words",
    "shuffled class": "what the same descriptions do with other classes; better prompts owe it to which class has which",
    "without class names": "what the descriptions do by themselves, where nothing else tells the classes apart",
}
"""What each control is a measure of. None says whether a description is true, or whether the encoder sees what it says."""

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
    """Make prompts of the same number and length, with random words (WaffleCLIP; Roth et al. 2023, §3.3).

    A prompt begins with its class name in the template. The other words are drawn from the words of all prompts, without
    class names, so that only the assignment of words to classes is lost. If there are fewer than 20 such words, random
    letters take their place.

    Args:
        prompts: each class's prompts, by class name.
        seed: seed of the draw.
        template: the sentence into which a class name is put.

    Returns:
        As many prompts per class, each with as many words.
    """
    rng = np.random.default_rng(seed)
    pool = word_pool([text for texts in prompts.values() for text in texts], list(prompts))
    return {name: [scrambled(text, name, template, pool, rng) for text in texts] for name, texts in prompts.items()}


def shuffled_classes(prompts: Mapping[str, Sequence[str]], *, seed: int) -> dict[str, list[str]]:
    """Give every class the prompts of another class, with its own name in place of the other name."""
    names = list(prompts)
    other = derangement(len(names), seed)
    return {
        name: [renamed(text, names[other[index]], name) for text in prompts[names[other[index]]]]
        for index, name in enumerate(names)
    }


def exchanged(prompts: Mapping[str, Sequence[str]], *, seed: int) -> dict[str, list[str]]:
    """Give every class the prompts of another class, as they are: for prompts without class names."""
    names = list(prompts)
    other = derangement(len(names), seed)
    return {name: list(prompts[names[other[index]]]) for index, name in enumerate(names)}


def random_word_pairs(
    pairs: PairDescriptions, class_names: Sequence[str], *, seed: int, template: str = "a photo of a {}."
) -> PairDescriptions:
    """The same pairs with captions of the same number and length; their words are random, as in `random_words`."""
    rng = np.random.default_rng(seed)
    pool = word_pool([text for contrasts in pairs.values() for one in contrasts for text in one.captions], class_names)
    entries: dict[tuple[int, int], list[Contrast]] = {}
    # A caption that several pairs share gets the same random words in all of them: the classifier counts shared captions once.
    drawn: dict[tuple[int, str], str] = {}
    for pair, contrasts in pairs.items():
        for contrast in contrasts:
            texts: list[str] = []
            for index, text in zip(pair, contrast.captions, strict=True):
                if (index, text) not in drawn:
                    drawn[index, text] = scrambled(text, class_names[index], template, pool, rng)
                texts.append(drawn[index, text])
            entries.setdefault(pair, []).append(Contrast(contrast.attribute, (texts[0], texts[1])))
    return PairDescriptions(entries, dict(enumerate(class_names)))


def shuffled_class_pairs(pairs: PairDescriptions, class_names: Sequence[str], *, seed: int) -> PairDescriptions:
    """Give every pair the captions of another pair (classes are shuffled), with its own class names in them."""
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
    return PairDescriptions(entries, dict(enumerate(class_names)))


def word_pool(texts: Sequence[str], class_names: Sequence[str]) -> list[str]:
    """The distinct words of the texts, sorted, without the words of class names."""
    taken = {word.casefold() for name in class_names for word in words_of(name)}
    return sorted({word.casefold() for text in texts for word in words_of(text)} - taken)


def words_of(text: str) -> list[str]:
    """A text's words, without punctuation."""
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text)


def scrambled(text: str, name: str, template: str, pool: Sequence[str], rng: np.random.Generator) -> str:
    """The class name in the template, followed by random words, with as many words as the text has."""
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
    """A random permutation without fixed points: one cycle through all positions in random order."""
    order = np.random.default_rng(seed).permutation(count)
    other = np.empty(count, dtype=np.int64)
    other[order] = np.roll(order, 1)
    return other


def renamed(text: str, old: str, new: str) -> str:
    """The text with one class name (upper or lower case) replaced by another."""
    return re.sub(re.escape(old), lambda _: new, text, flags=re.IGNORECASE)
