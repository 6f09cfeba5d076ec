"""Sentences about a finding read back into claims, and each claim checked against the record and the pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.distances.distance import DISTANCES
from adversarial.findings.facts import FindingClaim, compared, number_of, two_labels
from adversarial.findings.proof_reading import PROOF_FORMS
from adversarial.findings.words import ONLY
from verbalize.parts import find_regions, located, place_in_words
from verbalize.saliency import PixelSaliency, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from adversarial.findings.facts import FindingFacts, Verdict

LONGEST = 20_000
"""Characters of a text that is read; a longer one is not verified. Class names may be long, sentences are not."""

_QUERIES = r"(?:[\d,]+ of )?[\d,]+ quer(?:y|ies)"


@dataclass(frozen=True)
class FindingSentence:
    """One sentence about a finding, and whether it is true.

    Attributes:
        text: the sentence.
        claims: what it states.
        verdict: "false" if a claim is false, "true" if it was read whole and all its claims are true, else "not verified".
    """

    text: str
    claims: tuple[FindingClaim, ...]
    verdict: Verdict


def check_finding(text: str, facts: FindingFacts) -> tuple[FindingSentence, ...]:
    """Read a text about a finding, such as that of `finding_in_words`, and check each of its sentences.

    Counts, places and distances are taken from the two pictures, not from what the search said about itself. A sentence of
    another form is not verified, and neither is one that states something of which nothing is known here. Where the names of
    classes hold quotation marks so that a sentence can be read in two ways, it must be true in the only way that names known
    classes.

    Args:
        text: one sentence or more.
        facts: what is known of the finding.
    """
    if len(text) > LONGEST:
        return (FindingSentence(text, (), "not verified"),)
    return tuple(_judged(sentence, claims) for sentence, claims in _sentences(text.strip(), facts))


def _judged(sentence: str, claims: tuple[FindingClaim, ...] | None) -> FindingSentence:
    if not claims:
        return FindingSentence(sentence, (), "not verified")
    verdicts = {claim.verdict for claim in claims}
    verdict: Verdict = "false" if "false" in verdicts else "not verified" if "not verified" in verdicts else "true"
    return FindingSentence(sentence, claims, verdict)


def _sentences(text: str, facts: FindingFacts) -> Iterator[tuple[str, tuple[FindingClaim, ...] | None]]:
    """The sentences of a text with their claims, None where no form fits; a full stop in a class name ends no sentence."""
    while text:
        ends = [found.start() + 1 for found in re.finditer(r"\.(?= |\Z)", text)][:200] or [len(text)]
        for end in ends:
            claims = _claims(text[:end], facts)
            if claims is not None:
                break
        else:
            end, claims = ends[0], None
        yield text[:end], claims
        text = text[end:].strip()


def _claims(sentence: str, facts: FindingFacts) -> tuple[FindingClaim, ...] | None:
    for form, read in _FORMS:
        if form.fullmatch(sentence):
            claims = read(sentence, facts)
            if claims is not None:
                return claims
    return None


def _changing(sentence: str, facts: FindingFacts) -> tuple[FindingClaim, ...] | None:
    distance = DISTANCES.get(facts.norm)
    form = re.escape(distance.change).replace(r"\{title\}", re.escape(distance.title))
    form = form.replace(r"\{pixels\}", rf"(?:(?P<count>[\d,]+) pixels? (?P<place>.+?)|{ONLY})")
    form = form.replace(r"\{value\}", r"(?P<value>\S+)")
    for before, label, now in two_labels(sentence.removesuffix("."), " turns ", " into ", facts):
        found = re.fullmatch(f"Changing {form}", before)
        if found is None:
            continue
        said, mask = found.groupdict(), facts.changed
        number, place = said["count"] or "1", said["place"] or ONLY
        only = place == ONLY and mask is not None and mask.size == 1
        claims = [
            compared("count", number, number_of(number), None if mask is None else int(mask.sum())),
            compared("place", place, place, ONLY if only else _place(mask)),
            compared("label", label, label, facts.label),
            compared("now", now, now, facts.now or "nothing"),
        ]
        if "value" in said:
            known = None if mask is None else distance.between(facts.original, facts.adversarial)  # type: ignore[arg-type]
            claims.append(compared("distance", said["value"], said["value"], None if known is None else f"{known:.3g}"))
        return tuple(claims)
    return None


def _place(mask: NDArray[np.bool_] | None) -> str | None:
    return None if mask is None else located(place_in_words(mask, mask.shape))


def _nothing_found(sentence: str, facts: FindingFacts) -> tuple[FindingClaim, ...] | None:
    tail = "(, and the search had nothing more to ask)?"
    found = re.fullmatch(rf"(.*) was found within ({_QUERIES}){tail}\.", sentence, re.DOTALL)
    if found is None:
        return None
    for _, label, goal in two_labels(found[1], "No change that turns ", " into ", facts, also="another class"):
        held = FindingClaim("held", "no change was found", "false" if facts.success else "true")
        wanted = compared("goal", goal, goal, facts.goal or "another class")
        ended = _nothing_more(found[3], facts)
        return (held, compared("label", label, label, facts.label), wanted, *_queries(found[2], facts), *ended)
    return None


def _nothing_more(said: str | None, facts: FindingFacts) -> tuple[FindingClaim, ...]:
    return (compared("nothing more", "had nothing more to ask", True, facts.exhausted),) if said else ()


def _unchanged(sentence: str, facts: FindingFacts) -> tuple[FindingClaim, ...] | None:
    tail = ", without any change; there was nothing to attack."
    for _, now, label in two_labels(sentence.removesuffix(tail), "The image is classified as ", ", not as ", facts):
        mask = facts.changed
        nothing = None if mask is None else not mask.any()
        return (
            compared("now", now, now, facts.now or "nothing"),
            compared("label", label, label, facts.label),
            compared("unchanged", "without any change", True, nothing),
        )
    return None


def _already_there(sentence: str, facts: FindingFacts) -> tuple[FindingClaim, ...] | None:
    tail = ", the class to reach, without any change; there was nothing to attack."
    if not sentence.endswith(tail):
        return None
    said, mask = sentence.removeprefix("The image is classified as ").removesuffix(tail), facts.changed
    return (
        compared("now", said, said, facts.now or "nothing"),
        compared("goal", said, said, facts.goal or "another class"),
        compared("unchanged", "without any change", True, None if mask is None else not mask.any()),
    )


def _found_after(sentence: str, facts: FindingFacts) -> tuple[FindingClaim, ...] | None:
    tail = "( and had nothing more to ask)?(: one pixel is the fewest)?"
    found = re.fullmatch(rf"It was found after ([\d,]+) quer(?:y|ies); the attack made ({_QUERIES}){tail}\.", sentence)
    if found is None:
        return None
    claims = [compared("found after", found[1], number_of(found[1]), facts.found_after), *_queries(found[2], facts)]
    claims += _nothing_more(found[3], facts)
    if found[4]:
        mask, counts = facts.changed, DISTANCES.get(facts.norm).counts_pixels
        claims.append(compared("fewest", found[4][2:], True, None if mask is None else counts and int(mask.sum()) == 1))
    return tuple(claims)


def _found_last(sentence: str, facts: FindingFacts) -> tuple[FindingClaim, ...] | None:
    found = re.fullmatch(r"It was found with the last of ([\d,]+) quer(?:y|ies)\.", sentence)
    if found is None:
        return None
    number = number_of(found[1])
    return (
        compared("queries", found[1], number, facts.queries),
        compared("found after", found[1], number, facts.found_after),
    )


def _largest(sentence: str, facts: FindingFacts) -> tuple[FindingClaim, ...] | None:
    form = (
        r"It is the largest of the smallest changes found in (?:each of|(?P<some>[\d,]+) of) (?P<all>[\d,]+) features? alone"
        rf"(?P<more>; another feature may need a larger one)?; the attack made (?P<spent>{_QUERIES})\."
    )
    found = re.fullmatch(form, sentence)
    if found is None or bool(found["some"]) != bool(found["more"]):
        return None
    return (
        *_of_features(found["all"], found["some"] or found["all"], facts),
        compared("features held", "a change was found in each", 0, None if facts.features is None else facts.features[2]),
        *_queries(found["spent"], facts),
    )


def _held_in(sentence: str, facts: FindingFacts) -> tuple[FindingClaim, ...] | None:
    form = rf"(.*) was found in (?:the one feature|([\d,]+) of ([\d,]+) features?) searched alone, within ({_QUERIES})\."
    found = re.fullmatch(form, sentence, re.DOTALL)
    if found is None:
        return None
    features = facts.features or (None, None, None)
    for _, label, goal in two_labels(found[1], "No change that turns ", " into ", facts, also="another class"):
        return (
            FindingClaim("held", "no change was found", "false" if facts.success else "true"),
            compared("label", label, label, facts.label),
            compared("goal", goal, goal, facts.goal or "another class"),
            compared("features held", found[2] or "the one", number_of(found[2] or "1"), features[2]),
            compared("measured", found[3] or "the one", number_of(found[3] or "1"), features[1]),
            *_queries(found[4], facts),
        )
    return None


def _searched(sentence: str, facts: FindingFacts) -> tuple[FindingClaim, ...] | None:
    found = re.fullmatch(r"([\d,]+) of ([\d,]+) features? were searched\.", sentence)
    return None if found is None else _of_features(found[2], found[1], facts)


def _of_features(count: str, measured: str, facts: FindingFacts) -> tuple[FindingClaim, ...]:
    known = facts.features or (None, None, None)
    return (
        compared("features", count, number_of(count), known[0]),
        compared("measured", measured, number_of(measured), known[1]),
    )


def _still_open(_: str, facts: FindingFacts) -> tuple[FindingClaim, ...]:
    return (FindingClaim("open", "there may still be one", "false" if facts.success else "true"),)


def _nearest(sentence: str, facts: FindingFacts) -> tuple[FindingClaim, ...]:
    said = sentence.removeprefix("Of the changes tried, those ").removesuffix(" came closest to flipping the decision.")
    known = facts.touched is not None and facts.touched.size and np.isfinite(facts.touched).all()
    regions = find_regions(_as_map(facts.touched)) if known and facts.touched is not None else ()
    return (compared("nearest place", said, said, located(regions[0].place) if regions else None),)


def _as_map(touched: NDArray[np.floating]) -> PixelSaliency:
    return PixelSaliency(np.maximum(touched.astype(np.float64), 0), Query("another class"), signed=False)


def _queries(said: str, facts: FindingFacts) -> tuple[FindingClaim, ...]:
    numbers = [number_of(one) for one in re.findall(r"[\d,]+", said)]
    claims = [compared("queries", said, numbers[0], facts.queries)]
    if len(numbers) > 1:
        claims.append(compared("budget", said, numbers[1], facts.budget))
    return tuple(claims)


_Reader: TypeAlias = "Callable[[str, FindingFacts], tuple[FindingClaim, ...] | None]"
_FORMS: Sequence[tuple[re.Pattern[str], _Reader]] = tuple(
    (re.compile(form, re.DOTALL), read)
    for form, read in (
        (r"Changing .+ turns .+ into .+\.", _changing),
        (rf"No change that turns .+ into .+ was found within {_QUERIES}(?:, and the search had .+)?\.", _nothing_found),
        (r"The image is classified as .+, not as .+, without any change; there was nothing to attack\.", _unchanged),
        (r"The image is classified as .+, the class to reach, without any change; .+\.", _already_there),
        (rf"No change that turns .+ into .+ was found in .+ searched alone, within {_QUERIES}\.", _held_in),
        (r"It is the largest of the smallest changes found in .+\.", _largest),
        (r"[\d,]+ of [\d,]+ features? were searched\.", _searched),
        (r"It was found after .+; the attack made .+\.", _found_after),
        (r"It was found with the last of .+\.", _found_last),
        (r"There may still be one\.", _still_open),
        (r"Of the changes tried, those .+ came closest to flipping the decision\.", _nearest),
        *PROOF_FORMS,
    )
)
