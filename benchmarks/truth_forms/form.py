"""Forms: pairs of a true and a false statement with placeholders for the facts of a `World`, and how they become texts.

A file of forms in this folder is a module with a tuple `FORMS`; its name is the name of its set: `dev_a`, `dev_b` ... are
the development set, `held_out` was written after the reader was finished, and `fresh` once more after it had been mended.
`pairs` makes forms of one family:

    FORMS = (
        *pairs("support", [("{pos} speaks for {label}.", "{neg} speaks for {label}.")]),
        *pairs("no evidence", [("Nothing speaks against {label}.",) * 2], on="all for", false_on="both sides"),
    )

Placeholders of words:

- {top} {second} {third} {fourth}: the strongest supporters in order; {leastpos} the weakest; {pos} {pos2} {pos3}: others;
  {strong} has at least 0.6, {weak} at most 0.4 of the top's score; {hi} {lo}: two of which the first is stronger;
- {topneg} {secondneg} {thirdneg} {leastneg} {neg} {neg2} {neg3} {strongneg} {weakneg} {neghi} {neglo}: the same for opposers;
- {zero} {zero2} have score 0; {least} is the only one with the smallest |score|;
- {lead} is a supporter and the strongest with or without its sign, {lead2} comes next; {leadneg} is an opposer that is;
- {big} {big2} hold clearly more than an even share of all evidence, on either side;
- {tie1} {tie2} share the first place, {below} comes next; {rhi} is {times} ("twice") as strong as {rlo};
- {phrase}, {negphrase}: two neighbours of one sign; {absent} {absent2} are not in the text.

Labels: {label}, {other} of the same task, {unknown} of another one, {versus} on contrastive maps, {runner_up},
{not_runner_up}.

Numbers, each with {wrong_...}: {npos} {nneg} {n} words; {score_top} {score_neg} ({flipped_score_neg}); {sum_two} {gap_two} of
the two strongest; {share_top} {share_second} {share_two} {share_pos} of the evidence for, {share_neg} of that against,
{share_top_all} {share_for} {share_against} of all; {fraction_top} of the evidence for ("half"); {conf}, the model's
probability of the label. Without a wrong one: {score_second} {score_pos}, and {over_top} {under_top}, fractions that the
top word's share of the evidence for exceeds and stays below.

`on` and `false_on` name traits that the map must have: a kind of `world.KINDS`, "both sides", "for wins", "against wins",
"predicted", "not predicted", "pointwise" (the default) or "contrastive". Without one, a signed map with both sides is taken.
"""

from __future__ import annotations

import importlib
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks.truth_forms.vocabulary import LABEL_STYLES, QUOTES, WORD_STYLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.truth_forms.world import World

Nature = Literal["natural", "adversarial"]
_PLACEHOLDER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_NOT_FORMS = {"changed", "__init__", "world", "vocabulary", "form", "verification"}
# After these, "the word X" would say "word" twice or break the grammar, so the word is quoted instead.
_NO_ARTICLE = re.compile(
    r"(?:\b(?:words?|terms?|tokens?|phrases?|expressions?|adjectives?|features?|the|an?|of|[a-z]+ly|second|third|first)|[|(:\n-])\s*$"
)


@dataclass(frozen=True)
class Form:
    """A true statement and a false one of the same make.

    Attributes:
        name: family and number.
        family: the kind of statement, or of trick.
        nature: "natural" phrasing, or "adversarial": written to slip through.
        true: the true text, with placeholders.
        false: the false text.
        on: traits that the map of the true text must have.
        false_on: traits that the map of the false text must have.
        source: the file that holds the form.
    """

    name: str
    family: str
    nature: Nature
    true: str
    false: str
    on: tuple[str, ...] = ("both sides", "pointwise")
    false_on: tuple[str, ...] = ("both sides", "pointwise")
    source: str = ""


def pairs(
    family: str,
    texts: Iterable[tuple[str, str]],
    *,
    nature: Nature = "natural",
    on: str | tuple[str, ...] = "both sides",
    false_on: str | tuple[str, ...] | None = None,
) -> list[Form]:
    """Forms of one family from (true, false) pairs; `false_on` is the same as `on` if it is not given."""
    true_traits = _traits(on)
    false_traits = true_traits if false_on is None else _traits(false_on)
    return [
        Form(f"{family} {number}", family, nature, true, false, true_traits, false_traits)
        for number, (true, false) in enumerate(texts, 1)
    ]


def _traits(given: str | tuple[str, ...]) -> tuple[str, ...]:
    traits = (given,) if isinstance(given, str) else tuple(given)
    return traits if "contrastive" in traits else (*traits, "pointwise")


def load_forms(which: str = "dev") -> tuple[Form, ...]:
    """The forms of a set: "dev", "held-out", "fresh", "all", or the name of one file.

    Raises:
        ValueError: there is no such set.
    """
    stem = which.replace("-", "_")
    found: list[Form] = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem in _NOT_FORMS or not (which == "all" or path.stem == stem or path.stem.startswith(f"{stem}_")):
            continue
        module = importlib.import_module(f"benchmarks.truth_forms.{path.stem}")
        counts: dict[str, int] = {}
        for form in module.FORMS:
            counts[form.family] = counts.get(form.family, 0) + 1
            name = f"{path.stem}: {form.family} {counts[form.family]}"
            found.append(Form(name, form.family, form.nature, form.true, form.false, form.on, form.false_on, path.stem))
    if not found and which != "held-out":
        raise ValueError(f"there is no set of forms {which!r}")
    return tuple(found)


def placeholders(text: str) -> set[str]:
    """The names of the facts that a text needs."""
    return {match[1] for match in _PLACEHOLDER.finditer(text)}


def render(text: str, traits: Iterable[str], world: World) -> str | None:
    """The text about this map; `None` if the map lacks a fact or trait, or two different names mean the same word.

    A placeholder may give the style of its marks, as `vocabulary.QUOTES` names them: {top:bare}, {label:italic}; else each
    text has its own style, by the map's seed. Placeholders at the start of a sentence begin with a capital if they don't begin
    with a mark.
    """
    if not world.traits.issuperset(traits):
        return None
    needed = placeholders(text)
    known = world.words.keys() | world.absent.keys() | world.names.keys() | world.texts.keys()
    places = [place for key in needed if key in world.words for place in world.words[key]]
    if not needed <= known or len(set(places)) < len(places):
        return None
    rng = random.Random(f"{world.seed} {text}")
    word_style = rng.choices(list(WORD_STYLES), list(WORD_STYLES.values()))[0]
    label_style = rng.choices(list(LABEL_STYLES), list(LABEL_STYLES.values()))[0]
    made = ""
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        made += text[end : match.start()]
        made += _fact(match[1], match[2], made, text[match.end() :], world, (word_style, label_style))
        end = match.end()
    made += text[end:]
    return made


def _fact(key: str, style: str | None, before: str, after: str, world: World, styles: tuple[str, str]) -> str:
    starts = not before or re.search(r"(?:[.!?:]\s+|\n[-*•\d. ]*|^[-*•] )$", before) is not None
    if key in world.texts:
        text = world.texts[key]
        return text[0].upper() + text[1:] if starts else text
    if key in world.names:
        left, right = QUOTES[style or styles[1]]
        return f"{left}{world.names[key]}{right}"
    if key in world.absent:
        word = world.absent[key]
    else:
        word = " ".join(world.tokens[place] for place in world.words[key])
    style = style or styles[0]
    if style == "word" and (" " in word or _NO_ARTICLE.search(before)):
        style = "single"
    if after.startswith(("'s", "’s")) and style in {"single", "curly single"}:
        style = "double"
    left, right = QUOTES[style]
    text = f"{left}{word}{right}"
    return text[0].upper() + text[1:] if starts and style == "word" else text
