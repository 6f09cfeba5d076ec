"""Does an explanation name a label that people are to guess?

Label names are looked for as whole words, whatever their case, accents, hyphens, invisible characters and letters that only
look alike, also spelt with blanks between the letters: in their usual forms ("positive": "positively", "positiv"; "sports":
"sporting"; "хорошо": "нехорошая"; Arabic and Hebrew names with articles and prepositions), as usual abbreviations ("pos"),
under synonyms that the researcher gives, such as translations, and part by part where a label has several words ("Sci/Tech").
Words of the input don't count where they are quoted or shown as the input: they are not the explanation's own.

It finds names, not meanings: that "a fine review" tells "positive" is for people to see, in the preview and the dry run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from evals.study.spellings import expression, folded, folded_at, lookalikes, pictures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
_WORDS = re.compile(r"[^\W_]+")
_SPACED = re.compile(r"(?<![^\W_])[^\W_](?![^\W_])([\W_]{1,3})[^\W_](?![^\W_])(?:\1[^\W_](?![^\W_]))+")
"""Letters with blanks or signs between them: "p o s i t i v e"."""
_BROKEN = re.compile(r"[^\W\d_]+(?:(?:[-\u2010]\s*|<[^<>]{0,80}>)[^\W\d_]+)+")
"""Words with hyphens or tags in them."""
_LIGHT_WORDS = """
a an the of to in on at by for from with and or not no non is are be as very more most less least other others any all over
under class label category type group kind news review text tweet comment sentence question message picture image sign
"""
_LIGHT = frozenset(_LIGHT_WORDS.split())
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
_PREFIXES = ("non", "un", "in", "im", "dis", "anti", "super", "ultra", "hyper", "pseudo", "semi", "quasi")
_PLAIN_ENDS = ("", "s", "es", "ed", "ing", "ly", "ally", "ness", "ity", "ities", "er", "ers", "est", "ish", "ism", "ist",
               "ists", "al", "ful", "y", "ic", "ical", "ian", "ians", "wise", "wide", "like", "ory")  # fmt: skip
_DROPPED_E = ("e", "es", "ed", "ing", "ely", "eness", "ity", "er", "ers", "est", "eful", "ism", "ist")
_DROPPED_Y = ("y", "ies", "ied", "ily", "iness", "ier", "iest", "ical", "ically", "ist", "ists")
_EUROPEAN = ("", *"e en em er es a o os as i amente ement idad itat itaet itet ita ite isch".split())  # noqa: SIM905
"""Ends of the same word in German, Romance and Scandinavian languages: "positiv", "positivo"."""
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
        unspaced: names in scripts without blanks, emoji and emoticons, which count wherever they stand -> the label.
        inflected: expressions for words of labels in scripts other than Latin, with their usual beginnings and ends.
    """

    words: Mapping[str, str]
    phrases: Mapping[tuple[str, ...], str]
    signs: Mapping[str, str]
    unspaced: Mapping[str, str]
    inflected: Sequence[str] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """All of `inflected` in one."""
        return re.compile("|".join(self.inflected)) if self.inflected else None

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
    seen = [(label, pictures(name)) for label, name in named]
    unspaced |= {shown: label for label, shown in seen if shown and all(shown != other or label == one for one, other in seen)}
    for label, name in named:
        if _UNSPACED.search(name):
            unspaced[folded(name)] = label
            continue
        for alternative in _ALTERNATIVES.split(_CAMEL.sub(" ", name)) if _split(name) else [name]:
            parts = tuple(_split(alternative))
            if not parts:
                sign = folded(alternative).strip()
                if len(set(sign)) > 1:
                    unspaced.setdefault(sign, label)
                elif sign and sign not in unspaced:
                    signs[sign] = label
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
    return Names(words, phrases, signs, unspaced, [one for word in words for one in expression(word)])


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
    plain, at = folded_at(text)
    barred = _quotations(text, names, own)

    def place(start: int, stop: int) -> tuple[int, int] | None:
        first, last = at[start], at[stop - 1] + 1
        return None if any(one <= first < other for one, other in barred) else (first, last)

    words = [
        (*spot, _NUMBERS.get(found[0], found[0]))
        for found in _WORDS.finditer(plain)
        if (spot := place(*found.span())) is not None
    ]
    hits = [
        (start, stop)
        for start, stop, word in words
        if word not in vocabulary and (_named(word, names) or (word in names.signs and _CUE.search(_unquoted(text[:start]))))
    ]
    bare = [word for _, _, word in words]
    for number, first in enumerate(bare):
        for parts in names.starts.get(first.rstrip("s"), ()):
            if number + len(parts) <= len(bare) and all(
                one == other or one.rstrip("s") == other.rstrip("s") for one, other in zip(bare[number:], parts, strict=False)
            ):
                hits += [(words[number][0], words[number + len(parts) - 1][1])]
    wide = [(r"\s*".join(map(re.escape, name)), True) for name in names.unspaced]
    wide += [(rf"(?<!\S)[^\w\s]?{re.escape(sign)}[^\w\s]?(?!\S)", False) for sign in names.signs if not sign.isalnum()]
    for sought, anywhere in wide:
        spots = [place(*found.span()) for found in re.finditer(sought, plain)]
        hits += [spot for spot in spots if spot and (anywhere or _CUE.search(_unquoted(text[: spot[0]])))]
    for found in _BROKEN.finditer(plain):
        pieces = _WORDS.findall(re.sub("<[^<>]*>", " ", found[0]))
        if _named("".join(pieces), names) and not any(_named(part, names) for part in pieces):
            hits += [spot] if (spot := place(*found.span())) else []
    for found in _SPACED.finditer(plain):
        hits += [spot for start, stop in _spelt(found, names) if (spot := place(start, stop))]
    return sorted(set(hits))


def _spelt(found: re.Match[str], names: Names) -> Iterator[tuple[int, int]]:
    """(start, stop) of each name whose letters stand apart."""
    letters = [found.start() + one.start() for one in _WORDS.finditer(found[0])]
    spelt = "".join(found.string[one] for one in letters)
    first = 0
    while first < len(spelt):
        stops = range(min(len(spelt), first + 40), first + 3, -1) if len(spelt) > 3 else (3,) if not first else ()
        stop = next((one for one in stops if _named(spelt[first:one], names)), None)
        if stop is not None:
            yield letters[first], letters[stop - 1] + 1
        first = stop or first + 1


def _named(word: str, names: Names) -> bool:
    return any(
        one in names.words
        or any(
            one.startswith(prefix) and len(one) > len(prefix) + 3 and one[len(prefix) :] in names.words for prefix in _PREFIXES
        )
        or (names.pattern is not None and not one.isascii() and names.pattern.fullmatch(one))
        for one in lookalikes(word)
    )


def _unquoted(before: str) -> str:
    return before.rstrip("'\"“‘«»`„ (")


def _quotations(text: str, names: Names, own: str) -> list[tuple[int, int]]:
    """Where the words of the input are quoted. A quoted label behind "predicted as" is no word of the input."""
    known, whole = f" {' '.join(_split(own))} ", folded(own)
    found = []
    for quoted in _QUOTED.finditer(text):
        inside = next(part for part in quoted.groups() if part is not None)
        words, plain = _split(inside), folded(inside).strip()
        if not plain:
            continue
        there = f" {' '.join(words)} " in known if words and not _UNSPACED.search(inside) else plain in whole
        if not there:
            continue
        label = tuple(words) in names.phrases or plain in names.unspaced or (len(words) == 1 and words[0] in names.words)
        if label and _CUE.search(text[: quoted.start()]):
            continue
        found.append((quoted.start(), quoted.end()))
    return found


def _split(text: str) -> list[str]:
    return [_NUMBERS.get(word, word) for word in _WORDS.findall(folded(text))]


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
    if len(root) > 5:
        stem = root[:-1] if root[-1] in "eao" else f"{root[:-1]}v" if root.endswith("if") else root
        forms |= {stem + end for end in _EUROPEAN} | ({f"{stem[:-1]}f", f"{stem[:-1]}fs"} if stem.endswith("iv") else set())
    return forms
