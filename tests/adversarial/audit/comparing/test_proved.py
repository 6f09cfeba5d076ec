"""Proofs of two audits compared: figures worked out by hand, rules on single images, and sentences counted again."""

from __future__ import annotations

import pytest

from adversarial.audit import AuditStore
from adversarial.audit.comparing import compare_audits, read_rule
from adversarial.audit.comparing.recounting import Recount
from adversarial.audit.comparing.wording import change_in_words
from adversarial.audit.records import ProofRecord
from saywhy_core.errors import UsageError

BEFORE = {"a": (3, 3), "b": (2, 5), "c": (4, None), "d": (1, 1), "e": (2, 2)}
AFTER = {"a": (3, 3), "b": (2, 2), "c": (2, None), "d": (1, 1), "f": (9, 9)}


@pytest.fixture
def proved(audits):
    """A function that writes an audit with proofs: {name: (lower, upper)}."""

    def make(name, bounds, **settings):
        images = {one: audits.held() for one in "abcdef"} | {"d": audits.found(1)}
        where = audits.make(name, images, **{"prove": 10.0, "prove_pixels": None, **settings})
        with AuditStore(where, write=True) as store:
            for number, one in enumerate("abcdef", 1):
                if one in bounds:
                    lower, upper = bounds[one]
                    store.write_proof(
                        ProofRecord(
                            image=number,
                            lower=lower,
                            upper=upper,
                            sentence="",
                            condition="",
                            network="this ONNX file",
                            asked=3,
                            allowed=10.0,
                            ended=True,
                            finished=False,
                            share=0.5,
                            blocks=1,
                            seconds=1.0,
                            rounding=0.0,
                        )
                    )
        return where

    return make


def measured(comparison, name):
    return next(one for one in comparison.measurements if one.metric == name)


def test_bounds_and_shares_are_those_of_the_images_with_a_proof_in_both(proved):
    comparison = compare_audits(proved("old", BEFORE), proved("new", AFTER))
    bound, exact = measured(comparison, "proved_bound"), measured(comparison, "exact_bounds")
    assert (bound.images, bound.before.value, bound.after.value) == (4, 2.5, 2.0)
    assert (bound.rises, bound.falls, bound.p) == (0, 1, 1.0)
    assert (exact.before.value, exact.after.value, exact.rises, exact.falls) == (0.5, 0.75, 1, 0)
    recount = Recount(comparison.audits)
    for one in (bound, exact):
        said = f"{change_in_words(one)}."
        assert recount.judge(said) == "true"
        assert recount.judge(said.replace("4 images", "5 images")) == "false"


def test_six_bounds_that_fall_are_more_than_chance(proved):
    old, new = proved("old", dict.fromkeys("abcdef", (3, None))), proved("new", dict.fromkeys("abcdef", (2, None)))
    comparison = compare_audits(old, new)
    assert measured(comparison, "proved_bound").p == pytest.approx(2 / 64)
    assert comparison.judge("proved_bound significantly drops by 1").holds
    assert comparison.judge("proved_bound drops by 40%").holds is False
    assert comparison.judge("proved_bound falls below 2.5").holds


def test_a_rule_about_single_images_names_them(proved):
    comparison = compare_audits(proved("old", BEFORE), proved("new", AFTER))
    verdict = comparison.judge("proved_bound drops on any image")
    assert verdict.holds
    assert verdict.why.endswith("on 1 of 4 images with a proof in both: c from 4 to 2")
    assert comparison.judge("proved_bound drops by 3 on any image").holds is False
    assert comparison.judge("proved_bound rises on any image").holds is False
    assert comparison.judge("proved_bound changes by 2 on any image").holds


def test_proofs_with_other_limits_and_audits_without_proofs_decide_nothing(proved):
    old = proved("old", BEFORE)
    comparison = compare_audits(old, proved("new", AFTER, prove=60.0))
    assert "proofs differ" in measured(comparison, "proved_bound").doubt
    for rule in ("proved_bound drops on any image", "exact_bounds drops"):
        verdict = comparison.judge(rule)
        assert verdict.holds is None
        assert "prove 10.0 before and 60.0 after" in verdict.why
    assert comparison.judge("proved_bound falls below 3").holds
    comparison = compare_audits(old, proved("none", {}))
    assert not [one for one in comparison.measurements if one.metric == "proved_bound"]
    verdict = comparison.judge("proved_bound drops on any image")
    assert verdict.holds is None
    assert "--prove" in verdict.why


@pytest.mark.parametrize(
    "rule",
    ["accuracy drops on any image", "proved_bound significantly drops on any image", "proved_bound drops by 2% on any image",
     "proved_bound falls below 2 on any image", "proved_bound drops on some image", "proved_bound drops on any image now"],
)  # fmt: skip
def test_rules_about_single_images_that_say_nothing_are_refused(rule):
    with pytest.raises(UsageError, match=r"any image|the end"):
        read_rule(rule)
