"""Does an explanation name a label that people are to guess?

Label names are looked for as whole words, whatever their case, accents, hyphens and invisible characters, in their usual forms
("positive": "positively", "positivity"; "sports": "sporting"), as usual abbreviations ("pos"), under synonyms that the
researcher gives, such as translations, and part by part where a label has several words ("Sci/Tech"). Words of the input don't
count where they are quoted or shown as the input: they are not the explanation's own.

It finds names, not meanings: that "a fine review" tells "positive" is for people to see, in the preview and the dry run.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from evals.study.items import Stimulus

_SCORES = re.compile(r" \[[+-]?\d(?:\.\d)?\]")
_QUOTED = re.compile(
    r"(?<!\w)'(?P<a>[^'\n]+(?:'\w+[^'\n]*)*?)'(?!\w)|\"(?P<b>[^\"\n]+)\"|“(?P<c>[^”\n]+)”|‘(?P<d>[^’\n]+)’|«(?P<e>[^»\n]+)»"
    r"|»(?P<f>[^«\n]+)«|「(?P<g>[^」\n]+)」|`(?P<h>[^`\n]+)`|„(?P<i>[^“”\n]+)[“”]"
)
_CUE = re.compile(
    r"(?:predict\w*|classif\w*|label\w*|class(?:es)?|categor\w*|sentiment|topic|chose\w*|choice|decision|decid\w*|answer\w*|says?"
    r"|said|(?<!such )as|for|against|on|than|verdict|called)"
    r"(?:\s+(?:is|was|as|of|to|be|for|the|a|an|on|it|this|label|class))*\s*[:=]?\s*$",
    re.IGNORECASE,
)
"""What stands before a quoted label, and not before a quoted word of the input."""
_ALTERNATIVES = re.compile(r"[/|&+]|\b(?:and|or|und|oder)\b", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORDS = re.compile("[\\w\u00ad\u200b-\u200f\u2060\ufeff]+")
_LIGHT = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "and",
        "or",
        "not",
        "no",
        "non",
        "is",
        "are",
        "be",
        "as",
        "very",
        "more",
        "most",
        "less",
        "least",
        "other",
        "others",
        "any",
        "all",
        "over",
        "under",
        "class",
        "label",
        "category",
        "type",
        "group",
        "kind",
        "news",
        "review",
        "text",
        "tweet",
        "comment",
        "sentence",
        "question",
        "message",
        "picture",
        "image",
        "sign",
    ]
)
"""Words that tell no label apart, though a label may hold them."""
_NUMBERS = {
    word: str(number)
    for number, word in enumerate("zero one two three four five six seven eight nine ten".split())  # noqa: SIM905
}
_ABBREVIATIONS: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "positive pos", "negative neg", "neutral neu", "science sci scientific", "technology tech technical", "business biz",
        "entertainment ent", "contradiction contradict", "entailment entail", "anger angry", "hate hatred", "spam junk",
        "acceptable ok okay", "subjective subj", "objective obj", "duplicate dup",
    )
)  # fmt: skip
_PREFIXES = ("non", "un", "in", "im", "dis")
_PLAIN_ENDS = ("", "s", "es", "ed", "ing", "ly", "ally", "ness", "ity", "ities", "er", "ers", "est", "ish", "ism", "ist",
               "ists", "al", "ful", "y", "ic", "ical", "ian", "ians", "wise", "wide", "like", "ory")  # fmt: skip
_DROPPED_E = ("e", "es", "ed", "ing", "ely", "eness", "ity", "er", "ers", "est", "eful", "ism", "ist")
_DROPPED_Y = ("y", "ies", "ied", "ily", "iness", "ier", "iest", "ical", "ically", "ist", "ists")
_BASES = (("ment", 4), ("ion", 5), ("ness", 3), ("ing", 4), ("ity", 5))
"""Ends of nouns whose base is another form of the name, and how long the base must be: "entailment", "contradiction"."""
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_VOCABULARY = """
a about above across after against all also am among an and are area areas around as at balance because behind black blue both
bottom brackets bright brown but by centre choice clause colour coloured colours corner dark decision down each edge equally
evenly every evidence fifth fifths followed for from gold green grey half has heatmap hold holds how importance important in
is it its just label largest least left light little lower main many map marked matter matters middle more most mostly much
near nearly neither nine no none nor nothing nowhere of on one only or orange other others out over pale part parts phrase
picture pink pixel place position positions prediction purple quarter quarters rather red region regions rest right salient
same score scores second section share shares short side single some span speak speaks square stand stands strip strongest
tenth tenths text than that the them these they third thirds this three to top turquoise two under up upper violet white whole
whose with word words yellow zero
"""
VOCABULARY = frozenset(_VOCABULARY.split())
"""The words of `verbalize`'s templates, of its names of places and colours, and of the keys of heatmaps and rationales."""


@dataclass(frozen=True)
class Names:
    """What to look for, once for all explanations of a study.

    Attributes:
        words: form -> the label that it names.
        phrases: the words of a label with several -> the label.
        signs: labels of one character or of digits alone, which count only where they are called a label.
        unspaced: names in scripts without blanks, which count wherever they stand -> the label.
    """

    words: Mapping[str, str]
    phrases: Mapping[tuple[str, ...], str]
    signs: Mapping[str, str]
    unspaced: Mapping[str, str]

    @cached_property
    def starts(self) -> Mapping[str, Sequence[tuple[str, ...]]]:
        """The phrases by their first words: there may be a thousand labels."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for parts in self.phrases:
            found.setdefault(parts[0].rstrip("s"), []).append(parts)
        return found


def names_of(labels: Sequence[str], synonyms: Mapping[str, Sequence[str]] | None = None) -> Names:
    """The forms of label names.

    Args:
        labels: the labels.
        synonyms: label -> other names of it, such as translations.
    """
    words: dict[str, str] = {}
    phrases: dict[tuple[str, ...], str] = {}
    signs: dict[str, str] = {}
    unspaced: dict[str, str] = {}
    named = [(label, name) for label in labels for name in (label, *(synonyms or {}).get(label, ()))]
    for label, name in named:
        if _UNSPACED.search(name):
            unspaced[_folded(name)] = label
            continue
        for alternative in _ALTERNATIVES.split(_CAMEL.sub(" ", name)):
            parts = tuple(_split(alternative))
            if not parts:
                continue
            if len(parts) > 1:
                phrases[parts] = label
            elif len(parts[0]) == 1 or parts[0].isdigit():
                signs[parts[0]] = label
            else:
                words |= dict.fromkeys(_forms(parts[0]), label) | {form: words[form] for form in words}
    for parts, label in list(phrases.items()):
        shared = {word for others, other in phrases.items() if other != label for word in others}
        for word in parts:
            if word not in shared and word not in _LIGHT and len(word) >= 3 and word.isalpha():
                for form in _forms(word):
                    words.setdefault(form, label)
    return Names(words, phrases, signs, unspaced)


def leaks_in(text: str, names: Names, own: str = "", vocabulary: frozenset[str] = frozenset()) -> list[str]:
    """The words of an explanation that name a label, as they stand there, each once.

    Args:
        text: the explanation.
        names: what to look for.
        own: the text of the input, whose words may be quoted.
        vocabulary: words of the explanation's form, in lower case, which are no leaks even where a label is called so.
    """
    return list(dict.fromkeys(text[start:stop] for start, stop in _found(text, names, own, vocabulary)))


def replaced(text: str, names: Names, own: str = "", by: str = "the label") -> str:
    """The explanation with other words in the place of each name of a label."""
    parts, at = [], 0
    for start, stop in sorted(_found(text, names, own, frozenset())):
        if start < at:
            continue
        parts += [text[at:start], by]
        at = stop
    made = "".join(parts) + text[at:]
    return re.sub(rf"['\"“‘«»`]\s?({re.escape(by)})\s?['\"”’«»`]", r"\1", made).replace(f"the {by}", by).replace(f"a {by}", by)


def leaks_of(stimulus: Stimulus, names: Names, own: str, vocabulary: frozenset[str] = frozenset()) -> list[str]:
    """The words of a stimulus that name a label: in its text, its HTML, and all attributes of it.

    Args:
        stimulus: input and explanation.
        names: what to look for.
        own: the text of the input alone.
        vocabulary: as for `leaks_in`.
    """
    spoken = _SCORES.sub("", stimulus.text)
    spoken = spoken.replace(own, "\n", 1) if own and own in spoken else spoken
    reader = _Explanation(own)
    reader.feed(stimulus.html)
    reader.close()
    found = [word for text in (spoken, *reader.texts, *reader.values) for word in leaks_in(text, names, own, vocabulary)]
    return list(dict.fromkeys(found))


class _Explanation(HTMLParser):
    """Gathers what a stimulus holds besides the input: texts block by block, and the values of attributes."""

    def __init__(self, own: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = [""]
        self.values: list[str] = []
        self._open: list[tuple[str, bool]] = []  # elements, and whether they show the input
        self._own = _squeezed(own)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        shows = tag == "mark" or "input" in (values.get("class") or "").split()
        self.values += [value for name, value in attrs if value and name not in ("class", "dir", "width", "height")]
        self.values += [re.sub(r"[hm][+-]?\d+", " ", values.get("class") or "")]
        if tag not in ("span", "bdi", "b", "i", "em", "strong"):
            self.texts.append("")
        if tag not in ("img", "br"):
            self._open.append((tag, shows or bool(self._open and self._open[-1][1])))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
        if tag not in ("span", "bdi", "b", "i", "em", "strong"):
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][1] and _squeezed(data) in self._own:
            return  # a piece of the input, shown as such
        self.texts[-1] += data


def _found(text: str, names: Names, own: str, vocabulary: frozenset[str]) -> list[tuple[int, int]]:
    """(start, stop) of each name in a text."""
    barred = _quotations(text, names, own)
    words = [
        (found.start(), found.end(), _NUMBERS.get(folded, folded))
        for found in _WORDS.finditer(text)
        for folded in [_folded(found[0])]
        if not any(start <= found.start() < stop for start, stop in barred)
    ]
    hits = [
        (start, stop)
        for start, stop, word in words
        if word not in vocabulary
        and (_named(word, names.words) or (word in names.signs and _CUE.search(_unquoted(text[:start]))))
    ]
    bare = [word for _, _, word in words]
    for at, first in enumerate(bare):
        for parts in names.starts.get(first.rstrip("s"), ()):
            if at + len(parts) <= len(bare) and all(
                one == other or one.rstrip("s") == other.rstrip("s") for one, other in zip(bare[at:], parts, strict=False)
            ):
                hits += [(words[at][0], words[at + len(parts) - 1][1])]
    hits += [
        (found.start(), found.end())
        for name in names.unspaced
        for found in re.finditer(re.escape(name), text, re.IGNORECASE)
        if not any(start <= found.start() < stop for start, stop in barred)
    ]
    return sorted(set(hits))


def _named(word: str, forms: Mapping[str, str]) -> bool:
    if word in forms:
        return True
    return any(word.startswith(prefix) and len(word) > len(prefix) + 3 and word[len(prefix) :] in forms for prefix in _PREFIXES)


def _unquoted(before: str) -> str:
    return before.rstrip("'\"“‘«»`„ (")


def _quotations(text: str, names: Names, own: str) -> list[tuple[int, int]]:
    """Where the words of the input are quoted. A quoted label behind "predicted as" is no word of the input."""
    known = f" {' '.join(_split(own))} "
    found = []
    for quoted in _QUOTED.finditer(text):
        inside = next(part for part in quoted.groups() if part is not None)
        words = _split(inside)
        if not words or f" {' '.join(words)} " not in known:
            continue
        label = tuple(words) in names.phrases or (len(words) == 1 and words[0] in names.words)
        if label and _CUE.search(text[: quoted.start()]):
            continue
        found.append((quoted.start(), quoted.end()))
    return found


def _split(text: str) -> list[str]:
    return [_NUMBERS.get(word, word) for word in _WORDS.findall(_folded(text).replace("_", " "))]


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    """In lower case, without accents and invisible characters."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(one for one in decomposed if unicodedata.category(one) not in ("Mn", "Cf")).casefold()


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _forms(name: str) -> set[str]:
    """The usual forms of a word of a label."""
    roots = {name}
    for group in _ABBREVIATIONS:
        if name in group:
            roots |= group
    for end, least in _BASES:
        if name.endswith(end) and len(name) - len(end) >= least:
            roots.add(name.removesuffix(end))
    if len(name) > 4 and name.endswith("s") and not name.endswith("ss"):
        roots.add(name[:-1])
    return {form for root in roots for form in _inflected(root)}


def _inflected(root: str) -> Iterable[str]:
    if not root.isascii() or not root.isalpha():
        return {root, f"{root}s", f"{root}e", f"{root}en", f"{root}er", f"{root}es"}
    if len(root) <= 3:
        return {
            root,
            *(root + end for end in ("s", "ly", "ness")),
            *(root + root[-1] + end for end in ("er", "est", "ing", "ed", "y")),
        }
    forms = {root + end for end in _PLAIN_ENDS} | {root + root[-1] + end for end in ("er", "ers", "ing", "ed", "y")}
    if root.endswith("e"):
        forms = {root, f"{root}s", f"{root}d", *(root[:-1] + end for end in _DROPPED_E)}
    elif root.endswith("y"):
        forms |= {root[:-1] + end for end in _DROPPED_Y}
    return forms
