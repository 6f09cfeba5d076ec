"""Sentences about changed inputs, each with the claims that it makes, and what a model says of the texts that they are about.

A form names parts by "{a}", "{b}" and "{c}", a replacement by "{r}", and the label that the model predicts by "{label}". Its
claims are written as "D a" (without it the decision changes), "S a" (it alone keeps the decision) and "C a" ("{r}" in its place
changes it), with "!" for a denial and "&" between them. Where words have two senses, "|" stands between: such a sentence is
planted where both are true, or both false. The facts are worked out here from whole texts, without the checks of `verbalize`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TEXTS = (
    "the acting was wonderful but the plot was dull",
    "a great film but slow in places",
    "wonderful",
    "i hated the boring story and loved the music",
    "a terrible script saved by brilliant actors",
    "the food was awful although the staff was friendly",
    "an excellent book that drags in the middle",
    "not bad at all but hardly memorable",
    "the weather on that day was pleasant",
    "what a disappointing and clumsy ending",
    "it works well and it looks cheap",
    "the best concert of the year",
)
CLASSES = {"positive": "This is a good review.", "negative": "This is a bad review."}
REPLACEMENTS = ("awful", "superb", "green")

PLAIN = """
Without '{a}', the model changes its decision. => D a
Without '{a}', the model still says '{label}'. => !D a
'{a}' is decisive. => D a
'{a}' is not necessary for the decision. => !D a
Removing '{a}' flips the prediction. => D a
'{a}' alone is enough for the model to say '{label}'. => S a
'{a}' alone is not enough for the model to say '{label}'. => !S a
With only '{a}' left, the model still says '{label}'. => S a
With '{r}' in place of '{a}', the model changes its decision. => C a
With '{r}' in place of '{a}', the model still says '{label}'. => !C a
Replacing '{a}' by '{r}' flips the prediction. => C a
'{a}' is necessary but not sufficient for the decision. => D a & !S a
"""

DEVELOPMENT = """
'{a}' is decisive, but '{b}' is not. => D a & !D b
'{a}' is decisive, '{b}' is not. => D a & !D b
'{a}' is decisive, whereas '{b}' isn't. => D a & !D b
'{a}' is not decisive, but '{b}' is. => !D a & D b
'{a}' isn't decisive, and neither is '{b}'. => !D a & !D b
'{a}' is not decisive, nor is '{b}'. => !D a & !D b
'{a}' is decisive, and so is '{b}'. => D a & D b
'{a}' is decisive, but not '{b}'. => D a & !D b
'{a}' is necessary for the decision; '{b}' is not. => D a & !D b
Only '{a}' is decisive; '{b}' isn't. => D a & !D b
'{a}' alone is enough for the model to say '{label}', but '{b}' is not. => S a & !S b
'{a}' alone is enough, '{b}' alone is not. => S a & !S b
'{a}' alone suffices, but '{b}' does not. => S a & !S b
'{a}' alone does not suffice, nor does '{b}'. => !S a & !S b
'{a}' is not enough on its own, but '{b}' is. => !S a & S b
Neither '{a}' nor '{b}' is decisive. => !D a & !D b
Neither '{a}', '{b}' nor '{c}' is decisive. => !D a & !D b & !D c
Neither '{a}' nor '{b}' alone is enough. => !S a & !S b
Neither '{a}' nor '{b}' is enough on its own. => !S a & !S b
Neither '{a}' nor '{b}' alone is sufficient for the model to say '{label}'. => !S a & !S b
Neither '{a}' alone nor '{b}' alone suffices. => !S a & !S b
Neither '{a}' nor '{b}' alone changes the decision. => !D a & !D b | S a & S b
Neither removing '{a}' nor removing '{b}' changes the decision. => !D a & !D b
Removing neither '{a}' nor '{b}' has any effect on the prediction. => !D a & !D b
Without '{a}' nothing changes. => !D a
Without '{a}', the decision stays. => !D a
Without '{a}', nothing about the decision would change. => !D a
Removing '{a}' changes nothing. => !D a
Without '{a}' the decision changes, but not without '{b}'. => D a & !D b
Without '{a}' the decision changes, but without '{b}' it does not. => D a & !D b
Without '{a}' the decision stays the same, but without '{b}' it does not. => !D a & D b
Removing '{a}' flips the decision, but removing '{b}' does not. => D a & !D b
Removing '{a}' does not change the decision, nor does removing '{b}'. => !D a & !D b
Both without '{a}' and without '{b}', the decision stays the same. => !D a & !D b
'{a}' alone decides it; '{b}' does not. => S a & !S b | D a & !D b
'{a}' alone decides the outcome. => S a | D a
"""

HELD_OUT = """
'{a}' was decisive, '{b}' was not. => D a & !D b
While '{a}' is decisive, '{b}' is not. => D a & !D b
'{a}' is needed for the decision, but '{b}' is not. => D a & !D b
The word '{a}' is decisive, but the word '{b}' is not. => D a & !D b
'{a}' is indispensable, yet '{b}' is not. => D a & !D b
'{a}' is not decisive, and '{b}' is not either. => !D a & !D b
'{a}' is decisive and '{b}' is too. => D a & D b
'{a}' is decisive, as is '{b}'. => D a & D b
'{a}' isn't required for the prediction; neither is '{b}'. => !D a & !D b
By itself '{a}' is enough, but '{b}' is not. => S a & !S b
'{a}' by itself is enough, '{b}' by itself is not. => S a & !S b
'{a}' would be enough on its own, '{b}' would not. => S a & !S b
'{a}' alone isn't enough, and neither is '{b}'. => !S a & !S b
'{a}' suffices on its own; '{b}' doesn't. => S a & !S b
With '{a}' alone the model still says '{label}', but not with '{b}' alone. => S a & !S b
Neither '{a}' nor '{b}' suffices by itself. => !S a & !S b
Neither the word '{a}' nor the word '{b}' alone would be enough for '{label}'. => !S a & !S b
Neither '{a}' nor '{b}' by itself is enough for the decision. => !S a & !S b
Neither hiding '{a}' nor hiding '{b}' makes a difference to the decision. => !D a & !D b
Neither the removal of '{a}' nor that of '{b}' flips the decision. => !D a & !D b
Masking neither '{a}' nor '{b}' changes the prediction. => !D a & !D b
Neither without '{a}' nor without '{b}' does the decision change. => !D a & !D b
The decision changes neither without '{a}' nor without '{b}'. => !D a & !D b
Neither '{a}' nor '{b}' is necessary for the prediction. => !D a & !D b
Nothing changes without '{a}'. => !D a
If '{a}' is removed, nothing happens. => !D a
The decision stands even without '{a}'. => !D a
Without the word '{a}', the decision stays as it is. => !D a
Deleting '{a}' would change nothing. => !D a
Without '{a}', the model does not change its mind, but without '{b}' it does. => !D a & D b
Deleting '{a}' changes the prediction; deleting '{b}' doesn't. => D a & !D b
If '{a}' is removed, the decision flips, but not if '{b}' is removed. => D a & !D b
The decision changes without '{a}', but not without '{b}'. => D a & !D b
The prediction stays the same both without '{a}' and without '{b}'. => !D a & !D b
'{a}' on its own settles the matter, '{b}' does not. => S a & !S b | D a & !D b
"""


@dataclass(frozen=True)
class ChangedForm:
    """A sentence with slots, and its claims in each sense: kind, slot, whether it is denied."""

    text: str
    senses: tuple[tuple[tuple[str, str, bool], ...], ...]
    source: str


@dataclass(frozen=True)
class Planted:
    """A sentence about a text, and whether it is true."""

    form: ChangedForm
    words: tuple[str, ...]
    label: str
    text: str
    true: bool


def changed_forms() -> list[ChangedForm]:
    """All forms."""
    found = []
    for source, lines in (("plain", PLAIN), ("development", DEVELOPMENT), ("held out", HELD_OUT)):
        for line in lines.strip().splitlines():
            text, claims = line.rsplit(" => ", 1)
            senses = tuple(tuple(_claim(one) for one in sense.split("&")) for sense in claims.split("|"))
            found.append(ChangedForm(text, senses, source))
    return found


def _claim(written: str) -> tuple[str, str, bool]:
    kind, slot = written.split()
    return kind.removeprefix("!"), slot, kind.startswith("!")


class Facts:
    """What a model says of a text, and of each text that a change of one word makes of it."""

    def __init__(self, text: str, predict: Callable[[Sequence[str]], Sequence[str]]) -> None:
        self.words = tuple(text.split())
        changed: dict[tuple[str, str, str], str] = {}
        for index, word in enumerate(self.words):
            if self.words.count(word) == 1:
                changed["D", word, ""] = " ".join(one for at, one in enumerate(self.words) if at != index)
                changed["S", word, ""] = word
                for to in REPLACEMENTS:
                    changed["C", word, to] = " ".join(to if at == index else one for at, one in enumerate(self.words))
        changed = {key: made for key, made in changed.items() if made}
        self.label, *labels = predict([text, *changed.values()])
        stays = {key: label == self.label for key, label in zip(changed, labels, strict=True)}
        self.holds = {
            key: stay == (key[0] == "S") for key, stay in stays.items()
        }  # S says that it stays, D and C that it changes

    def planted(self, form: ChangedForm, *, true: bool) -> Iterator[Planted]:
        """The sentences that the form makes of this text, which are all true or all false."""
        slots = sorted({slot for sense in form.senses for _, slot, _ in sense})
        words = [word for word in dict.fromkeys(self.words) if ("D", word, "") in self.holds]
        for chosen in permutations(words, len(slots)):
            of_slot = dict(zip(slots, chosen, strict=True))
            for to in REPLACEMENTS if "{r}" in form.text else ("",):
                if to in self.words:
                    continue
                found = [
                    all(self.holds[kind, of_slot[slot], to if kind == "C" else ""] != denied for kind, slot, denied in sense)
                    for sense in form.senses
                ]
                only = form.text.startswith("Only ") and sum(self.holds["D", word, ""] for word in words) > 1
                if all(found) if true else not any(found):
                    if true and only:
                        continue
                    said = form.text.format(**of_slot, r=to, label=self.label)
                    yield Planted(form, self.words, self.label, said, true)


def plant(forms: Sequence[ChangedForm], facts: Sequence[Facts], *, each: int, seed: int = 0) -> list[Planted]:
    """So many true and so many false sentences of each form, fewer where no more fit a text."""
    found = []
    for form in forms:
        for true in (True, False):
            fitting = [one for fact in facts for one in fact.planted(form, true=true)]
            found += random.Random(f"{seed} {form.text} {true}").sample(fitting, min(each, len(fitting)))
    return found
