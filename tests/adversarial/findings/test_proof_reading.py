"""Sentences about proofs are read back: what is written is true, another number is false, and no condition is no proof."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from adversarial import PixelBound, PixelProof
from adversarial.findings import FindingFacts, ProofFacts, check_finding, class_name

NETWORK = "this ONNX file"
CONDITION = f"for {NETWORK}, pixel values in [0, 1], rounding accounted for"
INF = math.inf
AWKWARD = (
    "stop. No 2 pixels flip 'x', whatever their values",
    "yield (to), here to: no 2 can",
    "it's 5 pixels flip 'a' to 'b'",
)
PLAIN = ("stop", "yield", "give way")
CASES = [
    (lower, upper, share)
    for lower, upper in [(0, 0), (0, 3), (0, INF), (1, 1), (2, 2), (3, 3), (1, 2), (1, 5), (2, 3), (3, 5), (2, 1234), (1, INF),
                         (2, INF), (4, INF), (1203, INF)]
    for share in (1, 0.43, 0.99999, 0.00001, 0)
]  # fmt: skip


def told(lower, upper, share, names):
    proof = PixelProof(
        pixels=max(0, lower - 1),
        asked=3,
        finished=share == 1,
        share=share,
        blocks=7,
        seconds=1.5,
        rounding=1e-5,
        network=NETWORK,
    )
    now = None if upper == INF else 1
    bound = PixelBound(lower=lower, upper=upper, label=0, witness=None, witness_label=now, proof=proof)
    known = ProofFacts(
        lower=lower, upper=upper, condition=CONDITION, now=None if now is None else class_name(1, names), still_open=1 - share
    )
    labels = frozenset(class_name(index, names) for index in range(3))
    facts = FindingFacts(
        success=now is not None, label=class_name(0, names), now=class_name(1, names), queries=3, norm="l0", labels=labels,
        proof=known,
    )  # fmt: skip
    return bound.statement(names), facts


def verdicts(text, facts):
    return [one.verdict for one in check_finding(text, facts)]


@pytest.mark.parametrize("names", [PLAIN, AWKWARD, None], ids=["plain", "awkward", "numbered"])
@pytest.mark.parametrize(("lower", "upper", "share"), CASES)
def test_what_is_written_is_true(lower, upper, share, names):
    text, facts = told(lower, upper, share, names)
    assert set(verdicts(text, facts)) == {"true"}, check_finding(text, facts)


@pytest.mark.parametrize(("lower", "upper", "share"), CASES)
def test_any_other_number_is_not_true(lower, upper, share):
    text, facts = told(lower, upper, share, PLAIN)
    plain = text.replace(CONDITION, "C")
    for found in re.finditer(r"[\d,]*\d", plain):
        changed = f"{int(found[0].replace(',', '')) + 1:,}"
        lie = f"{plain[: found.start()]}{changed}{plain[found.end() :]}".replace("C", CONDITION)
        assert set(verdicts(lie, facts)) != {"true"}, lie


@pytest.mark.parametrize(("lower", "upper", "share"), CASES)
def test_other_facts_make_the_sentences_untrue(lower, upper, share):
    text, facts = told(lower, upper, share, PLAIN)
    for other in (replace(facts.proof, lower=max(0, lower - 1)), replace(facts.proof, upper=upper + 1)):
        if other != facts.proof:
            assert set(verdicts(text, replace(facts, proof=other))) != {"true"}, (text, other)
    assert "false" in verdicts(text, replace(facts, label="'give way'")), text


def test_what_is_proved_of_more_pixels_is_proved_of_fewer():
    _, facts = told(4, 6, 1, PLAIN)
    assert verdicts(f"No 2 pixels flip 'stop', whatever their values ({CONDITION}).", facts) == ["true"]
    assert verdicts(f"No single pixel flips 'stop', whatever its value ({CONDITION}).", facts) == ["true"]
    assert verdicts(f"No 4 pixels flip 'stop', whatever their values ({CONDITION}).", facts) == ["not verified"]
    assert verdicts(f"No 6 pixels flip 'stop', whatever their values ({CONDITION}).", facts) == ["false"]
    assert verdicts(f"Exactly 6 pixels are needed to flip 'stop', here to 'yield' ({CONDITION}).", facts) == ["not verified"]


@pytest.mark.parametrize(("lower", "upper"), [(3, 3), (3, 5), (3, INF), (2, 4), (1, 1)])
def test_without_its_condition_a_proof_is_not_verified_and_under_another_it_is_false(lower, upper):
    text, facts = told(lower, upper, 1, PLAIN)
    assert verdicts(text.replace(f" ({CONDITION})", ""), facts)[0] == "not verified"
    assert verdicts(text.replace("this ONNX file", "any network"), facts)[0] == "false"
    assert verdicts(text.replace(", rounding accounted for", ""), facts)[0] == "false"


@pytest.mark.parametrize(("lower", "upper", "share"), CASES)
def test_without_facts_nothing_is_verified(lower, upper, share):
    text, facts = told(lower, upper, share, PLAIN)
    assert set(verdicts(text, replace(facts, proof=None))) == {"not verified"}


def test_a_share_that_is_not_known_is_not_verified():
    text, facts = told(2, 5, 0.4, PLAIN)
    unknown = replace(facts, proof=replace(facts.proof, still_open=None))
    assert verdicts(text, unknown) == ["true", "true", "not verified"]


@pytest.mark.parametrize("names", [PLAIN, AWKWARD, None], ids=["plain", "awkward", "numbered"])
def test_that_nothing_flips_it_is_true_where_all_pixels_were_proved(names):
    _, facts = told(7, INF, 1, names)
    text = f"No change of pixel values flips {facts.label} ({CONDITION})."
    assert "true" not in verdicts(text, facts)
    for pixels, verdict in ((6, "true"), (7, "false")):
        known = replace(facts, proof=replace(facts.proof, image_pixels=pixels))
        assert verdicts(text, known) == [verdict]
        assert "true" not in verdicts(text.replace(f" ({CONDITION})", ""), known)
        assert "true" not in verdicts(text, replace(known, label="'give way!'"))


@pytest.mark.parametrize(
    ("lower", "upper", "text", "verdict"),
    [(3, INF, "No 3 pixels flip 'stop', whatever their values (C).", "not verified"),
     (3, INF, "No 2 pixels flip 'stop', whatever their values (C).", "true"),
     (3, 5, "5 pixels flip 'stop' to 'yield'; no 3 can, whatever their values (C).", "not verified"),
     (3, 5, "5 pixels flip 'stop' to 'yield'; no 5 can, whatever their values (C).", "false"),
     (3, 5, "2 pixels flip 'stop' to 'yield'.", "false"),
     (3, 5, "4 pixels flip 'stop' to 'yield'.", "not verified"),
     (3, 5, "6 pixels flip 'stop' to 'yield'.", "not verified"),
     (3, 5, "Exactly 4 pixels are needed to flip 'stop', here to 'yield': no 3 can, whatever their values (C).", "not verified"),
     (3, 5, "Exactly 2 pixels are needed to flip 'stop', here to 'yield' (C).", "false"),
     (3, 5, "Exactly 6 pixels are needed to flip 'stop', here to 'yield' (C).", "false"),
     (3, 5, "50% of the possible values of sets of 3 pixels were still open when the proof stopped.", "true"),
     (3, 5, "50.0% of the possible values of sets of 3 pixels were still open when the proof stopped.", "true"),
     (3, 5, "51% of the possible values of sets of 3 pixels were still open when the proof stopped.", "false"),
     (3, 5, "All sets of 3 pixels were still open when the proof stopped.", "false")],
)  # fmt: skip
def test_what_contradicts_the_bounds_is_false_and_what_lies_between_is_not_verified(lower, upper, text, verdict):
    _, facts = told(lower, 5 if upper == INF else upper, 0.5, PLAIN)
    facts = replace(facts, proof=replace(facts.proof, upper=upper))
    assert verdicts(text.replace("(C)", f"({CONDITION})"), facts) == [verdict]


def test_a_proof_that_had_no_time_for_the_next_number_says_so():
    text, facts = told(3, 5, 0, PLAIN)
    assert text.endswith("All sets of 3 pixels were still open when the proof stopped.")
    assert verdicts(text, facts)[-1] == "true"
