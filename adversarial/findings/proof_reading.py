"""Sentences about the fewest pixels that flip an image read back, and each held against what was proved and found."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, TypeAlias

from adversarial.findings.facts import FindingClaim, compared, number_of, two_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adversarial.findings.facts import FindingFacts, ProofFacts, Verdict

    Claims: TypeAlias = tuple[FindingClaim, ...] | None
    Reader: TypeAlias = Callable[[str, FindingFacts], Claims]

_CONDITION = r"(?: \((?P<condition>[^()]*)\))?"
_FLIP = r"(?P<upper>[\d,]+) pixels? flips?"
_VALUES = r"(?P<values>its value|their values)"
_NONE_CAN = rf"no (?P<least>single pixel|[\d,]+) can, whatever {_VALUES}"
_SETS = r"(?:single pixels|sets of (?P<size>[\d,]+) pixels)"
_OPEN = (
    r"(?:(?P<all>All) |(?P<share>Over 99\.9%|Under 0\.1%|\d+(?:\.\d)?%) of the possible values of )"
    rf"{_SETS} were still open when the proof stopped\."
)
_LEAST, _MOST = 0.0005, 0.9995  # shares that would be written as 0.0% and as 100.0%


def _exactly(sentence: str, facts: FindingFacts) -> Claims:
    tail = re.search(rf"(?:: {_NONE_CAN})?{_CONDITION}\.\Z", sentence)
    if tail is None:
        return None
    said, proof = tail.groupdict(), facts.proof
    for before, label, now in two_labels(sentence[: tail.start()], " needed to flip ", ", here to ", facts):
        many = re.fullmatch(r"Exactly ([\d,]+) (?:pixel is|pixels are)", before)
        if many is None:
            continue
        claims = [_exact(many[1], proof), compared("label", label, label, facts.label), _now(now, proof)]
        if said["least"] is not None:
            claims.append(_proved(said["least"], said["values"], proof))
        return (*claims, _condition(said["condition"], proof))
    return None


def _no_change(sentence: str, facts: FindingFacts) -> Claims:
    """Nothing flips it, which is proved where not even all pixels of the image can."""
    found = re.fullmatch(rf"No change of pixel values flips (?P<label>class \d+|'.+'){_CONDITION}\.", sentence, re.DOTALL)
    if found is None:
        return None
    proof = facts.proof
    every = None if proof is None or proof.image_pixels is None else proof.lower > proof.image_pixels
    return (
        compared("proved", "no change", True, every),
        compared("label", found["label"], found["label"], facts.label),
        _condition(found["condition"], proof),
    )


def _both(sentence: str, facts: FindingFacts) -> Claims:
    """So many pixels flip one class to another, with or without what is proved behind it."""
    tail = re.search(rf"(?:; {_NONE_CAN}{_CONDITION})?\.\Z", sentence)
    if tail is None:
        return None
    said, proof = tail.groupdict(), facts.proof
    first = " flips " if re.match(r"1 pixel ", sentence) else " flip "
    for before, label, now in two_labels(sentence[: tail.start()], first, " to ", facts):
        many = re.fullmatch(r"([\d,]+) pixels?", before)
        if many is None:
            continue
        claims = [
            _suffice(many[1], proof),
            compared("label", label, label, facts.label),
            _now(now, proof),
        ]
        if said["least"] is not None:
            claims += [_proved(said["least"], said["values"], proof), _condition(said["condition"], proof)]
        return tuple(claims)
    return None


def _no_pixels(sentence: str, facts: FindingFacts) -> Claims:
    form = rf"No (?P<least>single pixel|[\d,]+)(?: pixels)? flips? (?P<label>.+), whatever {_VALUES}{_CONDITION}\."
    found = re.fullmatch(form, sentence, re.DOTALL)
    if found is None:
        return None
    proved = _proved(found["least"], found["values"], facts.proof)
    return proved, compared("label", found["label"], found["label"], facts.label), _condition(found["condition"], facts.proof)


def _between(sentence: str, facts: FindingFacts) -> Claims:
    said = sentence.removeprefix("Whether ").removesuffix(" can is not known.")
    proof = facts.proof
    if said == "more":
        return (compared("between", said, math.inf, None if proof is None else proof.upper),)
    ends = [number_of(one) for one in re.split(" or | to ", said)]
    if len(ends) > 2 or any(map(math.isnan, ends)) or (" or " in said and ends[1] != ends[0] + 1):
        return None
    known = None if proof is None else (proof.lower, proof.upper - 1)
    return (compared("between", said, (ends[0], ends[-1]), known),)


def _nothing(sentence: str, facts: FindingFacts) -> Claims:
    found = re.fullmatch(
        r"How many pixels flip (.+) is not known: no lower bound was proved, and no example is known\.", sentence, re.DOTALL
    )
    if found is None:
        return None
    known = None if facts.proof is None else (facts.proof.lower, facts.proof.upper)
    label = compared("label", found[1], found[1], facts.label)
    return label, compared("unproved", "no lower bound and no example", (1, math.inf), known)


def _nothing_below(_: str, facts: FindingFacts) -> Claims:
    proof = facts.proof
    return (compared("unproved", "no lower bound", True, None if proof is None else proof.lower == 1 < proof.upper),)


def _still_open(sentence: str, facts: FindingFacts) -> Claims:
    found = re.fullmatch(_OPEN, sentence)
    if found is None:
        return None
    size = number_of(found["size"] or "1")
    share = None if facts.proof is None else facts.proof.still_open
    said = found["share"] or "All"
    known = None
    if share is not None:
        known = "All" if share == 1 else "Under 0.1%" if share < _LEAST else "Over 99.9%" if share >= _MOST else _percent(share)
    return (
        compared("still open", said, said if not said[0].isdigit() else f"{float(said[:-1]):.1f}%", known),
        compared("still open", found["size"] or "1", size, None if facts.proof is None else facts.proof.lower),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _unsure(sentence: str, facts: FindingFacts) -> Claims:
    form = rf"That the unchanged image is classified as (?P<label>.+) is not proved: rounding may decide it{_CONDITION}\."
    found = re.fullmatch(form, sentence, re.DOTALL)
    if found is None:
        return None
    proof = facts.proof
    unsure = compared("unproved", "the unchanged image", True, None if proof is None else proof.lower == 0 < proof.upper)
    return unsure, compared("label", found["label"], found["label"], facts.label), _condition(found["condition"], proof)


def _wrong(sentence: str, facts: FindingFacts) -> Claims:
    tail, proof = ", even without any change; there was nothing to prove.", facts.proof
    wrong = compared("unchanged", "without any change", (0, 0), None if proof is None else (proof.lower, proof.upper))
    bare = re.fullmatch(rf"The image is not classified as (.+){re.escape(tail)}", sentence, re.DOTALL)
    if bare is not None:
        return wrong, compared("label", bare[1], bare[1], facts.label)
    for _, now, label in two_labels(sentence.removesuffix(tail), "The image is classified as ", ", not as ", facts):
        return wrong, _now(now, proof), compared("label", label, label, facts.label)
    return None


def _number(least: str) -> float:
    return 1 if least == "single pixel" else number_of(least)


def _proved(least: str, values: str, proof: ProofFacts | None) -> FindingClaim:
    """So many can't: what is proved of more pixels is proved of fewer, and an example of fewer pixels contradicts it."""
    if proof is None:
        return FindingClaim("proved", least, "not verified")
    number = _number(least)
    fits = (number == 1) == (values == "its value") and number >= 1
    verdict: Verdict = "true" if fits and number < proof.lower else "false" if number >= proof.upper else "not verified"
    return FindingClaim("proved", least, verdict, f"no {proof.lower - 1:,}")


def _suffice(said: str, proof: ProofFacts | None) -> FindingClaim:
    """So many flip it: true of the example, false below the lower bound; of other numbers no example is known."""
    if proof is None:
        return FindingClaim("pixels", said, "not verified")
    number = number_of(said)
    verdict: Verdict = "true" if number == proof.upper else "false" if number < proof.lower else "not verified"
    return FindingClaim("pixels", said, verdict, str(proof.upper))


def _exact(said: str, proof: ProofFacts | None) -> FindingClaim:
    """So many are the fewest: true where both bounds are that number, false outside of them."""
    if proof is None:
        return FindingClaim("pixels", said, "not verified")
    number = number_of(said)
    inside = proof.lower <= number <= proof.upper
    verdict: Verdict = "false" if not inside else "true" if proof.lower == proof.upper else "not verified"
    return FindingClaim("pixels", said, verdict, f"{proof.lower} to {proof.upper}")


def _now(said: str, proof: ProofFacts | None) -> FindingClaim:
    return compared("now", said, said, None if proof is None else proof.now or "nothing")


def _condition(said: str | None, proof: ProofFacts | None) -> FindingClaim:
    """A proof without its condition is not verified: it holds under that alone."""
    if said is None or proof is None:
        return FindingClaim("condition", said or "", "not verified", "" if proof is None else proof.condition)
    return compared("condition", said, said, proof.condition)


PROOF_FORMS: Sequence[tuple[str, Reader]] = (
    (r"Exactly [\d,]+ pixels? (?:is|are) needed to flip .+\.", _exactly),
    (r"No change of pixel values flips .+\.", _no_change),
    (rf"{_FLIP} .+ to .+\.", _both),
    (r"No (?:single pixel|[\d,]+ pixels?) flips? .+\.", _no_pixels),
    (r"Whether fewer can is not known: no lower bound was proved\.", _nothing_below),
    (r"Whether .+ can is not known\.", _between),
    (r"How many pixels flip .+ is not known: .+\.", _nothing),
    (r"(?:All|.+% of the possible values of) .+ were still open when the proof stopped\.", _still_open),
    (r"That the unchanged image is classified as .+ is not proved: .+\.", _unsure),
    (r"The image is .+, even without any change; there was nothing to prove\.", _wrong),
)
"""The forms of the sentences, and what reads each; see `adversarial.bounds.pixel_words`, which writes them."""
