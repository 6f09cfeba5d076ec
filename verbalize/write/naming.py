"""How sentences name parts, numbers and labels so that they can be read back: quotes, ordinals, positions, lists, per cents."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, islice
from operator import ge, gt
from typing import TYPE_CHECKING

from verbalize.parts.breaks import bounds_of
from verbalize.spacing import gaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from verbalize.parts.breaks import Bounds
    from verbalize.saliency import Part, Query, TokenSaliency

# Opening mark, closing mark, and the characters that the text between them must not contain: the marks and their look-alikes.
QUOTES: tuple[tuple[str, str, str], ...] = (
    ("'", "'", "'‘’`´‚‛"),
    ('"', '"', '"“”„‟'),
    ("«", "»", "«»"),
    ("「", "」", "「」"),
)
PUBLISHED_QUOTES: tuple[tuple[str, str, str], ...] = (("» ", " «", "«»"), *QUOTES[:2], QUOTES[3])
_LONGEST_WORD = 60  # characters; a longer word (an address, encoded data) is named by its position
_JOINERS = re.compile("[\u200c\u200d]")  # Persian, Indic scripts and emoji need these two; other format characters are refused
_ISOLATE = ("\u2068", "\u2069")  # first strong isolate, pop directional isolate: they keep a quotation in its own direction
_FEW_PLACES = 3  # words at up to this many places of ...
_SHORT_TEXT = 40  # ... a text of up to this many words are counted; in longer texts their neighbours are easier to find
_NEIGHBOURS = ((1, 1), (2, 1), (1, 2), (2, 2), (3, 3), (4, 4))  # words before and after, in the order in which they are tried
_FARTHEST = 4  # the largest of these numbers
_LONGEST_NEIGHBOURHOOD = 60  # characters
_OTHERS = re.compile(r"[\W_]+")
_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def squeeze(text: str) -> str:
    """The text with each run of white space replaced by one blank, and none at the ends. Words are quoted in this form."""
    return " ".join(text.split())


def quoted(text: str, quotes: Sequence[tuple[str, str, str]] = QUOTES) -> str | None:
    """The text between the first pair of marks that it does not contain; `None` if no quotation of it could be read back.

    A quotation with letters that are written from right to left stands between directional isolates (U+2068, U+2069), so that
    it does not turn the sentence around it.
    """
    plain = squeeze(text)
    if not plain or not _JOINERS.sub("", plain).isprintable():
        return None
    for opening, closing, barred in quotes:
        if not any(mark in plain for mark in barred):
            before, after = _ISOLATE if _right_to_left(plain) else ("", "")
            return f"{before}{opening}{plain}{closing}{after}"
    return None


def _right_to_left(text: str) -> bool:
    return not text.isascii() and any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in text)


def ordinal(number: int) -> str:
    """1 as "first", 2 as "second", 13 as "13th"."""
    if number < len(_ORDINALS):
        return _ORDINALS[number]
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


@dataclass(frozen=True)
class WordIndex:
    """The place of each word in the text of a map (white space squeezed), to find every place of a quoted run of words."""

    text: str
    first: dict[int, int]
    last: dict[int, int]
    bounds: Bounds

    @classmethod
    def of(cls, saliency: TokenSaliency) -> WordIndex:
        """Index the words of a map. Words that are only white space have no place."""
        return cls(*(_plain_places(saliency) or _places(saliency)), bounds_of(saliency))

    def compound(self, part: Part) -> Part:
        """The part with the rest of the compounds in which it begins and ends, such as "couldn't" for "couldn"."""
        return tuple(range(self.bounds.compounds[part[0]][0], self.bounds.compounds[part[-1]][1] + 1))

    def neighbourhoods(self, part: Part) -> Iterator[Part]:
        """Runs of words of one sentence around the part, shortest first. They begin and end with words, not with marks."""
        after = bisect_right(self.bounds.sentences, part[0])
        low, high = (0, *self.bounds.sentences)[after], (*self.bounds.sentences, len(self.bounds.compounds))[after]
        words = {index: place for place, index in self.first.items()}

        def is_word(index: int) -> bool:
            stop = words.get(index + 1, len(self.text))
            return index in words and any(map(str.isalnum, self.text[words[index] : stop]))

        before = list(islice(filter(is_word, range(part[0] - 1, low - 1, -1)), _FARTHEST))
        behind = list(islice(filter(is_word, range(part[-1] + 1, high)), _FARTHEST))
        for left, right in _NEIGHBOURS:
            start = before[min(left, len(before)) - 1] if before else part[0]
            stop = behind[min(right, len(behind)) - 1] if behind else part[-1]
            if start < part[0] or stop > part[-1]:
                yield self.compound(tuple(range(start, stop + 1)))

    def once(self, words: str) -> bool:
        """Whether the letters occur exactly once in the text, in upper or lower case."""
        return _times(self.folded, words.casefold()) == 1

    @cached_property
    def folded(self) -> str:
        """The text in lower case."""
        return self.text.casefold()

    def places(self, words: str) -> tuple[Part, ...]:
        """Each run of whole words that equals `words`, including case, in order. Runs may overlap."""
        wanted = squeeze(words)
        found: list[Part] = []
        start = self.text.find(wanted) if wanted else -1
        while start >= 0:
            stop = start + len(wanted)
            if start in self.first and stop in self.last:
                found.append(tuple(range(self.first[start], self.last[stop] + 1)))
            start = self.text.find(wanted, start + 1)
        return tuple(found)


def _plain_places(saliency: TokenSaliency) -> tuple[str, dict[int, int], dict[int, int]] | None:
    """The text of a map and the places where its words start and stop, if no white space has to be squeezed; else `None`."""
    tokens, text, offsets = saliency.tokens, saliency.text, saliency.offsets
    if text is None or offsets is None:
        if not all(tokens) or len("".join(tokens).split()) != 1:
            return None
        pieces = [gap + token for gap, token in zip(gaps(tokens), tokens, strict=True)]
        stops = list(accumulate(map(len, pieces)))
        starts = [stop - len(token) for stop, token in zip(stops, tokens, strict=True)]
        text = "".join(pieces)
    else:
        starts, stops = [start for start, _ in offsets], [stop for _, stop in offsets]
        ends = [place for offset in offsets for place in offset]
        text = text[: stops[-1]] if stops else ""
        if squeeze(text) != text or any(map(ge, starts, stops)) or any(map(gt, ends, ends[1:])):
            return None
        if any(text[start].isspace() or text[stop - 1].isspace() for start, stop in offsets):
            return None
    indices = range(len(tokens))
    return text, dict(zip(starts, indices, strict=True)), dict(zip(stops, indices, strict=True))


def _places(saliency: TokenSaliency) -> tuple[str, dict[int, int], dict[int, int]]:
    """The text of a map with its white space squeezed, and the places where its words start and stop in it."""
    pieces: list[str] = []
    size, reached = 0, 0
    first: dict[int, int] = {}
    last: dict[int, int] = {}

    def write(piece: str) -> None:
        nonlocal size
        pieces.append(piece)
        size += len(piece)

    spaces = gaps(saliency.tokens) if saliency.text is None else ()
    for index, token in enumerate(saliency.tokens):
        if saliency.text is None or saliency.offsets is None:
            raw, gap = token, spaces[index]
        else:
            start, stop = saliency.offsets[index]
            raw, gap = saliency.text[start:stop], saliency.text[reached:start]
            reached = max(reached, stop)
        lead = gap + raw[: len(raw) - len(raw.lstrip())]
        between = squeeze(lead)
        blank_before = bool(lead) and lead[0].isspace()
        if size and blank_before and pieces[-1] != " ":
            write(" ")
        if between:
            write(between)
        if size and between and lead[-1].isspace():
            write(" ")
        body = squeeze(raw)
        if not body:
            continue
        first[size] = index
        write(body)
        last[size] = index
        if raw[-1].isspace():
            write(" ")
    return "".join(pieces), first, last


def mention(
    saliency: TokenSaliency, part: Part, index: WordIndex, quotes: Sequence[tuple[str, str, str]] = QUOTES, noun: str = ""
) -> str:
    """A name from which a run of words can be found again, and no other run.

    The name is the words in quotes. If the same words occur at several places, it is "the second 'great'", or in long texts
    "the 'great' in 'a great cast'". It is "the word at position 5" if the words can't be quoted: they are only white space,
    contain control characters or every kind of quote, or have a word of more than 60 characters. With a noun, it is
    "the word 'great'" or "the second word 'great'".
    """
    words = squeeze(saliency.text_of(part))
    marked = quoted(words, quotes)
    places = index.places(words) if marked and max(map(len, words.split())) <= _LONGEST_WORD else ()
    if marked is None or tuple(part) not in places:
        if len(part) == 1:
            return f"the word at position {part[0] + 1}"
        return f"the phrase at positions {part[0] + 1} to {part[-1] + 1}"
    which, where = "", ""
    inside, readable = index.compound(part), any(map(str.isalnum, words))  # a lone mark in a quotation is easily overlooked
    if readable and inside != tuple(part):
        where = _around(saliency, [inside], words, index, quotes)
    if len(places) > 1 and not where:
        if len(places) > _FEW_PLACES or len(saliency) > _SHORT_TEXT:  # also for a mark: nobody counts to the 16th comma
            runs = index.neighbourhoods(part)  # a mark at an edge of a quotation is taken for the writer's own
            inner = runs if readable else (run for run in runs if run[0] < part[0] and part[-1] < run[-1])
            where = _around(saliency, inner, words, index, quotes)
        which = "" if where else ordinal(places.index(tuple(part)) + 1)
    pointed = " ".join(word for word in (which, noun) if word)
    if where:
        return f"the {pointed} {marked} in {where}" if pointed else f"the {marked} in {where}"
    return f"the {pointed} {marked}" if pointed else marked


def _around(
    saliency: TokenSaliency,
    runs: Iterable[Part],
    words: str,
    index: WordIndex,
    quotes: Sequence[tuple[str, str, str]],
) -> str:
    """The first of the runs that occurs once in the text and holds `words` once, in quotes; "" if there is none."""
    for run in runs:
        text = squeeze(saliency.text_of(run))
        marked = quoted(text, quotes) if len(text) <= _LONGEST_NEIGHBOURHOOD else None
        if marked and index.once(text) and _times(text.casefold(), words.casefold()) == 1 and run in index.places(text):
            return marked
    return ""


def _times(text: str, words: str) -> int:
    """How often the words occur in the text, also where occurrences overlap; 2 stands for more often than once."""
    first = text.find(words)
    return 0 if first < 0 else 1 + (text.find(words, first + 1) >= 0)


def listed(names: Sequence[str], word: str = "and") -> str:
    """The names as "a, b and c"."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" {word} {names[-1]}"


def capital(sentence: str) -> str:
    """The sentence with a capital first letter. A sentence that begins with a quote is unchanged."""
    return sentence[:1].upper() + sentence[1:]


def percent(share: float) -> tuple[str, float, float] | None:
    """A share as text, the middle of what the text states, and half of its width; `None` for a share of 0.

    46.3 % gives ("46%", 0.46, 0.005). A share below 1 % is "under 1%", one that would be rounded up to the whole "over 99%".
    """
    if not 0.0 < share <= 1.0 + 1e-9:
        return None
    if share < 0.01:
        return "under 1%", 0.005, 0.005
    if 0.995 <= share < 1.0 - 1e-12:
        return "over 99%", 0.995, 0.005
    written = f"{100 * share:.0f}"
    return f"{written}%", float(written) / 100, 0.005


_FRACTIONS = (
    (0.1, "a tenth"), (0.2, "a fifth"), (0.25, "a quarter"), (1 / 3, "a third"), (0.4, "two fifths"), (0.5, "half"),
    (0.6, "three fifths"), (2 / 3, "two thirds"), (0.75, "three quarters"), (0.8, "four fifths"), (0.9, "nine tenths"),
)  # fmt: skip
_FRACTION_WIDTH = 0.05  # how far a share may lie from a fraction in words
_SMALL = 0.075  # smaller shares are written in per cent


def fraction(share: float) -> tuple[str, float, float] | None:
    """A share in words, as "about a tenth" or, below 7.5 %, "3%"; the number that the text states, and how far it may be off.

    `None` for a share of 0 or of nearly the whole.
    """
    if share < _SMALL:
        return percent(share)
    value, words = min(_FRACTIONS, key=lambda fraction: abs(fraction[0] - share))
    return (f"about {words}", value, _FRACTION_WIDTH) if abs(value - share) <= _FRACTION_WIDTH else None


@dataclass(frozen=True)
class Frame:
    """How sentences refer to the query: in full at first, then as "it", or as "that choice" if it is contrastive.

    `label` and `versus` are the names in the claims of a sentence that has the full form. They are `None` if labels are masked.
    """

    full: str
    pronoun: str
    label: str | None
    versus: tuple[str, ...] | None

    @classmethod
    def of(cls, query: Query, *, mask_labels: bool, heard: str = "") -> Frame:
        """Put a query into words. With `mask_labels`, or if a label can't be quoted, no name of a class is written at all.

        `heard` is the text of the input. A label that occurs in it is written as "the label 'good'", so that nobody mistakes
        the label for the word.
        """
        pronoun = "that choice" if query.contrastive else "it"
        label, versus = quoted(query.label), [quoted(name) for name in query.versus]
        if mask_labels or label is None or None in versus:
            others = {0: "", 1: " rather than the other label"}.get(len(versus), " rather than the other labels")
            return cls(f"the label{others}", pronoun, None, None)
        full = label
        if query.members:
            full = f"the group {label}{_members(query.members)}"
        elif _heard((query.label, *query.versus), heard):
            full = f"the label {label}"
        if versus:
            full += " rather than " + listed([name for name in versus if name], "or")
        return cls(full, pronoun, query.label, query.versus or None)


def _heard(names: Iterable[str], heard: str) -> bool:
    """Whether one of the names occurs in the text, whatever the case, blanks and punctuation."""
    letters = _OTHERS.sub("", heard.casefold())
    return any(_OTHERS.sub("", name.casefold()) in letters for name in names)


_MEMBERS_NAMED = 3


def _members(members: Sequence[str]) -> str:
    names = [name for name in map(quoted, members) if name]
    if len(names) < len(members) or len(names) > _MEMBERS_NAMED + 1:
        return f" ({len(members)} class{'es' if len(members) > 1 else ''})"
    return f" ({listed(names, 'or')})"
